"""Where ControlNet units go on a server: its own names for preprocessors and models, and which IP-Adapter will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webui_client.capabilities import Capabilities, ControlNetCapability
from webui_client.errors import MissingCapability
from webui_client.units.controlnet import (
    NO_MODEL,
    ControlNetUnit,
    PlacedUnit,
    is_union,
    model_for,
    needs_model,
    resolve_model,
    union_for,
)
from webui_client.units.identity import Control, InstantId, IpAdapter, Recipe, recipe_of
from webui_client.units.preprocessors import control_type, listed_module


def place_controls(
    controls: Sequence[Control], server: Capabilities, *, sdxl: bool, takes_loras: bool
) -> tuple[tuple[PlacedUnit, ...], tuple[str, ...]]:
    """Return the units as the server is to be asked for them, and the tags that the prompt needs for them.

    sdxl: whether the checkpoint of the request is one of SDXL. takes_loras: whether tags in the prompt count. Raises
    MissingCapability.
    """
    if not controls:
        return (), ()
    has = server.controlnet
    if has is None:
        raise MissingCapability(server.server, "script", "ControlNet", server.scripts_img2img)
    place = _Placing(has=has, server=server, sdxl=sdxl, takes_loras=takes_loras)
    placed = [place.control(control) for control in controls]
    units = tuple(unit for found, _ in placed for unit in found)
    if len(units) > has.max_units:
        raise place.lacks("ControlNet unit", f"number {len(units)}", [f"{has.max_units} units"])
    return units, tuple(tag for _, tag in placed if tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placing:
    """Finds a server's own names for ControlNet units; sdxl and takes_loras as :func:`place_controls` has them."""

    has: ControlNetCapability
    server: Capabilities
    sdxl: bool
    takes_loras: bool

    def control(self, control: Control) -> tuple[tuple[PlacedUnit, ...], str | None]:
        """Return the units of a control and the tag that the prompt needs for it."""
        if isinstance(control, ControlNetUnit):
            return (self.unit(control),), None
        if isinstance(control, InstantId):
            return self.instant_id(control), None
        return self.ip_adapter(control)

    def unit(self, unit: ControlNetUnit) -> PlacedUnit:
        """Return the unit with listed names; raises MissingCapability."""
        if unit.further_images and self.has.dialect == "forge":
            raise self.lacks("ControlNet unit", "with several pictures")
        module = unit.module
        if module.lower() != "none":
            found = listed_module(module, self.has.modules)
            if found is None:
                raise self.lacks("ControlNet preprocessor", module, self.has.modules)
            module = found
        model = self.model(unit)
        takes_union = is_union(model) and self.has.dialect == "mikubill"
        return PlacedUnit(
            unit=unit,
            module=module,
            model=model,
            union=control_type(unit.module).union if takes_union else None,
        )

    def model(self, unit: ControlNetUnit) -> str:
        """Return the listed ControlNet of a unit, "None" where it works without; raises MissingCapability."""
        models = self.has.models
        if unit.model in (None, NO_MODEL) and not needs_model(unit.module):
            return NO_MODEL
        if unit.model is not None:
            found = resolve_model(unit.model, models)
        else:
            found = model_for(unit.module, models, sdxl=self.sdxl)
            if found is None and self.has.dialect == "mikubill":
                found = union_for(unit.module, models, sdxl=self.sdxl)
        if found is None:
            raise self.lacks("ControlNet", unit.model or f"for {unit.module}", models)
        return found

    def instant_id(self, wanted: InstantId) -> tuple[PlacedUnit, ...]:
        """Return InstantID's two units; raises MissingCapability, also for a checkpoint that is not one of SDXL."""
        if not self.sdxl:
            titles = [checkpoint.title for checkpoint in self.server.checkpoints]
            raise self.lacks("checkpoint", "one of SDXL, for InstantID", titles)
        return tuple(self.unit(unit) for unit in wanted.units())

    def ip_adapter(self, wanted: IpAdapter) -> tuple[tuple[PlacedUnit, ...], str | None]:
        """Return the unit of the best IP-Adapter that the server can run, and its tag; raises MissingCapability."""
        recipes, lack = wanted.recipes(sdxl=self.sdxl), None
        for recipe in recipes:
            for listed in (name for name in self.has.models if recipe_of(name) == recipe):
                try:
                    self.check_lora(recipe)
                    return (self.unit(wanted.unit(recipe, listed)),), wanted.lora_tag(recipe)
                except MissingCapability as error:
                    lack = lack or error
        if lack:
            raise lack
        stems = " or ".join(recipe.stem for recipe in recipes) or " or ".join(wanted.variants)
        raise self.lacks("IP-Adapter", stems, [name for name in self.has.models if recipe_of(name)])

    def check_lora(self, recipe: Recipe) -> None:
        """Raise MissingCapability if the LoRA that belongs to an IP-Adapter is not there, or tags do not count."""
        names = [lora.name for lora in self.server.loras] if self.takes_loras else []
        if recipe.lora and recipe.lora not in names:
            raise self.lacks("LoRA", recipe.lora, names)

    def lacks(self, kind: str, name: str, available: Sequence[str] = ()) -> MissingCapability:
        """Return the error that says what is missing."""
        return MissingCapability(self.server.server, kind, name, available)

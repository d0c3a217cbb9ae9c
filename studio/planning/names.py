"""Choosing, among the names a preset declares, the first that a server has; never silently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from studio.errors import MissingCapability
from studio.library.product import ControlSpec
from studio.planning.plan import Choice, Lack, ServerFacts
from webui_client.capabilities import NATIVE_SIZE_SDXL
from webui_client.units.controlnet import resolve_model
from webui_client.units.identity import (
    FACE_VARIANTS,
    INSTANT_ID_ADAPTER,
    INSTANT_ID_CONTROL,
    RECIPES,
    recipe_of,
)
from webui_client.units.preprocessors import INSTANT_ID_FACE, INSTANT_ID_POINTS, listed_module

DEMONSTRATION_PREFIX = "sajin-tiny"
NO_MODULE = "none"
OR = " / "
CHECKPOINT_FAMILY, INSTANT_ID = "checkpoint family", "instant-id"
"""Kinds of what InstantID lacks where it cannot run."""
MOST_NAMES = 3
Chosen = TypeVar("Chosen")
FAMILY_WORDS = {"tile_resample": "tile", "depth": "depth"}
FAMILY_MODULES = {
    "openpose": ("dw_openpose_full", "openpose_full", "openpose"),
    "depth": ("depth_midas", "depth"),
}


@dataclass(slots=True, kw_only=True)
class Chooser:
    """Chooses names on one server and notes every choice that is not the first one wanted."""

    facts: ServerFacts
    choices: list[Choice] = field(default_factory=list)

    def one_of(self, stage: str, kind: str, wanted: Sequence[str], known: Sequence[str]) -> str:
        """The first wanted name that is known, as the server spells it. Raises MissingCapability."""
        return self._take(stage, kind, wanted, lambda name: _same(name, known))

    def perhaps_one_of(
        self, stage: str, kind: str, wanted: Sequence[str], known: Sequence[str], *, optional: bool
    ) -> str | None:
        """As one_of; None, noted, when nothing fits and the part is optional."""
        try:
            return self.one_of(stage, kind, wanted, known)
        except MissingCapability:
            if not optional:
                raise
            self._left_out(stage, kind, wanted[0])
            return None

    def control(self, stage: str, spec: ControlSpec, *, drawn: bool) -> tuple[str, str] | None:
        """Preprocessor and model of a ControlNet unit; None, noted, when it is optional and does not fit.

        drawn: the unit's picture is a finished map, so that no preprocessor may touch it.
        """
        try:
            return self._control(stage, spec, drawn=drawn)
        except MissingCapability:
            if not spec.optional:
                raise
            self._left_out(stage, "controlnet", spec.unit)
            return None

    def motion_module(self, stage: str, wanted: Sequence[str]) -> str:
        """The first wanted motion module that is known and made for the checkpoint. Raises MissingCapability.

        Where a server has AnimateDiff but does not tell its modules, the first that fits the checkpoint is trusted to
        be there; that it was is seen in the result.
        """
        if not self.facts.animates:
            raise MissingCapability("script", "AnimateDiff", self.facts.url, stage)
        known = wanted if self.facts.motion_modules is None else self.facts.motion_modules
        fitting = [name for name in known if self._fits_checkpoint(name)]
        return self._take(stage, "motion module", wanted, lambda name: _same(name, fitting))

    def _control(self, stage: str, spec: ControlSpec, *, drawn: bool) -> tuple[str, str]:
        if spec.unit == "ip_adapter_face":
            return self._ip_adapter(stage)
        if spec.unit == "instant_id":
            return self._instant_id(stage)
        modules = (NO_MODULE,) if drawn else spec.module or FAMILY_MODULES.get(spec.unit, (spec.unit,))
        models = spec.model or (FAMILY_WORDS.get(spec.unit, spec.unit),)
        return self._module(stage, modules), self._take(
            stage, "controlnet model", models, self._model_containing
        )

    def _ip_adapter(self, stage: str) -> tuple[str, str]:
        """Preprocessor and model of the best IP-Adapter for faces; its LoRA must be there too where it has one."""
        recipes = [recipe for variant in FACE_VARIANTS for recipe in RECIPES if recipe.variant == variant]
        fitting = [recipe for recipe in recipes if recipe.sdxl == self._is_sdxl]
        for recipe in fitting:
            model = next((name for name in self.facts.controlnet_models if recipe_of(name) == recipe), None)
            has_lora = recipe.lora is None or recipe.lora in self.facts.loras
            module = listed_module(recipe.module, self.facts.controlnet_modules)
            if model is not None and module is not None and has_lora:
                return module, model
        stems = OR.join(recipe.stem for recipe in fitting[:MOST_NAMES])
        raise MissingCapability("controlnet model", stems, self.facts.url, stage)

    def _instant_id(self, stage: str) -> tuple[str, str]:
        """Preprocessor and model of InstantID's first unit, where the second is there as well."""
        if not self._is_sdxl:
            raise MissingCapability(CHECKPOINT_FAMILY, "SDXL", self.facts.url, stage)
        for module in (INSTANT_ID_FACE, INSTANT_ID_POINTS):
            if listed_module(module, self.facts.controlnet_modules) is None:
                raise MissingCapability("controlnet module", module, self.facts.url, stage)
        adapter, control = (
            resolve_model(name, self.facts.controlnet_models)
            for name in (INSTANT_ID_ADAPTER, INSTANT_ID_CONTROL)
        )
        if adapter is None or control is None:
            wanted = INSTANT_ID_CONTROL if adapter else INSTANT_ID_ADAPTER
            raise MissingCapability(INSTANT_ID, wanted, self.facts.url, stage)
        return INSTANT_ID_FACE, adapter

    @property
    def _is_sdxl(self) -> bool:
        return self.facts.native_size >= NATIVE_SIZE_SDXL

    def _module(self, stage: str, wanted: Sequence[str]) -> str:
        return self._take(
            stage, "controlnet module", wanted, lambda name: _same(name, self.facts.controlnet_modules)
        )

    def _model_containing(self, part: str) -> str | None:
        fitting = [name for name in self.facts.controlnet_models if self._fits_checkpoint(name)]
        return next((name for name in fitting if part.casefold() in name.casefold()), None)

    def _fits_checkpoint(self, model: str) -> bool:
        """Whether a ControlNet's name says it belongs to this kind of checkpoint, as the extension itself guesses."""
        name = model.casefold()
        if name.startswith(DEMONSTRATION_PREFIX) != self.facts.demonstration:
            return False
        return self.facts.demonstration or ("xl" in name) == self._is_sdxl

    def _take(self, stage: str, kind: str, wanted: Sequence[str], find: Callable[[str], str | None]) -> str:
        for name in wanted:
            if (found := find(name)) is not None:
                if name != wanted[0]:
                    self.choices.append(Choice(stage=stage, kind=kind, wanted=wanted[0], taken=found))
                return found
        raise MissingCapability(kind, OR.join(wanted), self.facts.url, stage)

    def _left_out(self, stage: str, kind: str, wanted: str) -> None:
        self.choices.append(Choice(stage=stage, kind=kind, wanted=wanted, taken=None))


@dataclass(slots=True, kw_only=True)
class Survey(Chooser):
    """Chooses as a chooser does, but goes on where something is missing, and notes everything that is."""

    lacks: list[Lack] = field(default_factory=list)

    def one_of(self, stage: str, kind: str, wanted: Sequence[str], known: Sequence[str]) -> str:
        """The first wanted name that is known; the first one, noted, when none is."""
        return self._perhaps(lambda: Chooser.one_of(self, stage, kind, wanted, known)) or wanted[0]

    def perhaps_one_of(
        self, stage: str, kind: str, wanted: Sequence[str], known: Sequence[str], *, optional: bool
    ) -> str | None:
        """The first wanted name that is known; None, noted, when none is."""
        return self._perhaps(lambda: Chooser.one_of(self, stage, kind, wanted, known), optional=optional)

    def motion_module(self, stage: str, wanted: Sequence[str]) -> str:
        """The first wanted motion module that is known; the first one, noted, when none is."""
        return self._perhaps(lambda: Chooser.motion_module(self, stage, wanted)) or wanted[0]

    def control(self, stage: str, spec: ControlSpec, *, drawn: bool) -> tuple[str, str] | None:
        """Preprocessor and model of a ControlNet unit; None, noted, when it does not fit."""
        needed = spec.model_copy(update={"optional": False})
        return self._perhaps(
            lambda: Chooser.control(self, stage, needed, drawn=drawn), optional=spec.optional
        )

    def _perhaps(self, choose: Callable[[], Chosen], *, optional: bool = False) -> Chosen | None:
        try:
            return choose()
        except MissingCapability as reason:
            stage, kind, name = (str(reason.data[key]) for key in ("stage", "kind", "name"))
            self.lacks.append(Lack(stage=stage, kind=kind, wanted=tuple(name.split(OR)), optional=optional))
            return None


def _same(name: str, known: Sequence[str]) -> str | None:
    """The known name that equals name but for letter case."""
    return next((other for other in known if other.casefold() == name.casefold()), None)

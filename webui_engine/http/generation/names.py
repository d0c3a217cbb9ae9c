"""Finding what a request means by a name. A name nobody has is refused, where A1111 falls back in silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from webui_engine.diffusion.autoencoders import find_vae
from webui_engine.diffusion.checkpoints import find_checkpoint
from webui_engine.errors import UnknownName, WouldBeIgnored

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine
    from webui_engine.diffusion.samplers import Sampler

AUTOMATIC = "Automatic"
SAME = frozenset(
    {"", "None", "Use same sampler", "Use same scheduler", "Use same checkpoint", "Use same VAE"}
)
NETWORK_TAG = re.compile(r"<(?P<kind>\w+):(?P<name>[^:<>]+)[^<>]*>")
LORA_KINDS = frozenset({"lora", "lyco"})


def sampler_and_scheduler(engine: Engine, sampler: str, scheduler: str | None) -> tuple[str, str]:
    """The listed names; an old joined name ("DPM++ 2M Karras") is taken apart.

    sampler: a listed name or alias, any case. scheduler: a label, name or alias; None or "" is "Automatic".
    Raises UnknownName, and WouldBeIgnored for a schedule beside a sampler that takes none.
    """
    used, joined = _taken_apart(engine, sampler)
    label = _scheduler(engine, scheduler or joined)
    if not used.schedulable and label not in (AUTOMATIC, used.default_schedule):
        raise WouldBeIgnored("scheduler", label, f"{used.name} has a schedule of its own; send Automatic")
    return used.name, label


def later_sampler(
    engine: Engine, sampler: str | None, scheduler: str | None, first: str
) -> tuple[str | None, str | None]:
    """Sampler and schedule of a pass after the first one; None for what it takes over from that.

    first: the sampler of the first pass. Raises as sampler_and_scheduler.
    """
    named = None if sampler in SAME else sampler
    asked = None if scheduler in SAME else scheduler
    found, label = sampler_and_scheduler(engine, named or first, asked)
    return found if named else None, label if asked or label != AUTOMATIC else None


def _taken_apart(engine: Engine, name: str) -> tuple[Sampler, str | None]:
    """The sampler that name means, and the schedule that an old joined name ends in."""
    found = _sampler(engine, name)
    if found is not None:
        return found, None
    for label in sorted((item.label for item in engine.schedulers()), key=len, reverse=True):
        if name.lower().endswith(f" {label.lower()}"):
            base = _sampler(engine, name[: -len(label) - 1])
            if base is not None:
                return base, label
    raise UnknownName("sampler", name, [item.name for item in engine.samplers()])


def checkpoint(engine: Engine, name: str) -> str:
    """The title of a checkpoint named by any of its aliases. Raises UnknownName."""
    return find_checkpoint(name, engine.checkpoints()).title


def overriding_checkpoint(engine: Engine, name: str) -> str:
    """The same where A1111 would go on with another checkpoint: the error is the client's."""
    try:
        return checkpoint(engine, name)
    except UnknownName as error:
        raise UnknownName("checkpoint to override with", name, error.available) from error


def vae(engine: Engine, name: str) -> str | None:
    """The listed name of a VAE; "Automatic" and "None" are the checkpoint's own. Raises UnknownName."""
    found = find_vae(name, engine.vaes())
    return None if found is None else found.model_name


def controlnet_model(engine: Engine, name: str) -> str:
    """The listed ControlNet; also by bare stem in any case. Raises UnknownName, for a stale hash too."""
    models = engine.controlnet_models()
    for model in models:
        if name == model or name.lower() == model.partition(" [")[0].lower():
            return model
    raise UnknownName("ControlNet model", name, models)


def controlnet_module(engine: Engine, name: str) -> str:
    """The internal name of a preprocessor named by itself or its label; "None" is "none". Raises UnknownName."""
    modules = engine.controlnet_modules()
    for module in modules:
        if name.lower() in (module.name.lower(), module.alias.lower()):
            return module.name
    raise UnknownName("ControlNet module", name, [module.name for module in modules])


def upscaler(engine: Engine, name: str | int | None) -> str:
    """The listed name of an upscaler given by name (any case), index, or None for "None". Raises UnknownName."""
    known = [item.name for item in engine.upscalers()]
    if name is None:
        return "None"
    if isinstance(name, int) and not isinstance(name, bool):
        if 0 <= name < len(known):
            return known[name]
        raise UnknownName("upscaler", f"index {name}", known)
    for item in known:
        if item.lower() == str(name).lower():
            return item
    raise UnknownName("upscaler", str(name), known)


def check_networks(engine: Engine, prompts: Sequence[str]) -> None:
    """Raise UnknownName where a prompt asks for a LoRA that is not there, or for another kind of network."""
    for tag in (tag for prompt in prompts for tag in NETWORK_TAG.finditer(prompt)):
        if tag["kind"] not in LORA_KINDS:
            raise UnknownName("network kind", tag["kind"], sorted(LORA_KINDS))
        if not _has_lora(engine, tag["name"].strip()):
            raise UnknownName("LoRA", tag["name"], [lora.name for lora in engine.loras()])


def _has_lora(engine: Engine, name: str) -> bool:
    def listed() -> bool:
        return any(name in (lora.name, lora.alias) for lora in engine.loras())

    if not listed():
        engine.refresh_loras()
    return listed()


def _sampler(engine: Engine, name: str) -> Sampler | None:
    wanted = name.lower()
    for item in engine.samplers():
        if wanted == item.name.lower() or wanted in item.aliases:
            return item
    return None


def _scheduler(engine: Engine, name: str | None) -> str:
    if not name:
        return AUTOMATIC
    for item in engine.schedulers():
        if name.lower() in (item.label.lower(), item.name.lower()) or name in (item.aliases or ()):
            return item.label
    raise UnknownName("scheduler", name, [item.label for item in engine.schedulers()])

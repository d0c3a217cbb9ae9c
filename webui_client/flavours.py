"""The WebUIs that speak A1111's HTTP interface, and in what each of them differs.

Written to the A1111 contract notes, core section 9 and controlnet section 6. What is not told there is taken to be as
on AUTOMATIC1111 1.10; where a server's word is not known to be there, its absence proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Flavour = Literal["a1111", "forge", "reforge", "sdnext", "sajin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How one WebUI is asked and what it tells.

    vaes_path: its listing of VAEs. vae_option: the option that names one. vae_option_is_list: it takes several, and
    none is an empty list. vae_key: the infotext's word for the one used. hires_modules: hires fix fails unless it is
    told to keep text encoders and VAE. returns_maps: ControlNet's detected maps come back. tells_schedule, tells_loras,
    tells_switches, tells_masks: the infotext names schedules, LoRAs, what is on or off, and masks whenever they were
    used. forgets_options: an option that a request overrides may stay so. a1111_folders: its models lie in A1111's
    folders.
    """

    vaes_path: str = "/sdapi/v1/sd-vae"
    vae_option: str = "sd_vae"
    vae_option_is_list: bool = False
    vae_key: str = "VAE"
    hires_modules: bool = False
    returns_maps: bool = True
    tells_schedule: bool = True
    tells_loras: bool = True
    tells_switches: bool = True
    tells_masks: bool = True
    forgets_options: bool = True
    a1111_folders: bool = True


WAYS: Mapping[Flavour, Ways] = MappingProxyType(
    {
        "a1111": Ways(),
        "forge": Ways(
            vaes_path="/sdapi/v1/sd-modules",
            vae_option="forge_additional_modules",
            vae_option_is_list=True,
            vae_key="Module 1",
            hires_modules=True,
        ),
        "reforge": Ways(returns_maps=False),
        "sdnext": Ways(
            returns_maps=False,
            tells_schedule=False,
            tells_loras=False,
            tells_switches=False,
            tells_masks=False,
            a1111_folders=False,
        ),
        "sajin": Ways(forgets_options=False),
    }
)

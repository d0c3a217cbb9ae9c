"""First contact: read everything a server can do, and which WebUI it is.

Written to the A1111 contract notes, core, section 9 (how to tell the flavours apart) and the notes on
start-up: the core routes answer before the API is complete, ``/sdapi/v1/loras`` is the sign that it is, and
it also answers without ``--api``, so both are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from webui_client.capabilities import (
    NATIVE_SIZE_SDXL,
    ADetailerCapability,
    Capabilities,
    Checkpoint,
    ControlNetCapability,
    Lora,
    Sampler,
    Scheduler,
    Upscaler,
    Vae,
    find_checkpoint,
    names_sdxl,
)
from webui_client.easyphoto import PATH as EASYPHOTO
from webui_client.errors import BadAnswer, NotAWebui, RequestRefused
from webui_client.flavours import WAYS, Flavour
from webui_client.transport import Transport
from webui_client.units.faceswap import FaceSwapCapability, Swapper

Listed = TypeVar("Listed", bound=BaseModel)

SD1_WIDTH, SD2_WIDTH = 768, 1024
NATIVE_SIZE_SD1, NATIVE_SIZE_SD2 = 512, 768


def probe(transport: Transport, *, known_version: str | None = None) -> Capabilities:
    """Read a server's capability record.

    known_version: the WebUI's version if it is known already; asking costs A1111 a second or two.
    Raises NotAWebui, AuthenticationRequired, ServerUnreachable, ServerTimeout, BadAnswer, ServerFailed.
    """
    options = core_options(transport)
    own = _own_engine(transport)
    flavour: Flavour = "sajin" if own else _flavour(transport)
    checkpoints = listing(transport, "/sdapi/v1/sd-models", Checkpoint)
    current = str((own or {}).get("checkpoint") or options.get("sd_model_checkpoint") or "")
    loaded = find_checkpoint(current, checkpoints)
    embeddings = _embeddings(transport)
    scripts = _object(transport, "/sdapi/v1/scripts")
    internal = transport.find("/internal/ping") is not None
    return Capabilities(
        server=transport.url,
        flavour=flavour,
        version=_version(transport, own, known_version, internal=internal),
        checkpoint=loaded.title if loaded else current,
        checkpoints=checkpoints,
        vaes=listing(transport, WAYS[flavour].vaes_path, Vae),
        samplers=listing(transport, "/sdapi/v1/samplers", Sampler),
        schedulers=listing(transport, "/sdapi/v1/schedulers", Scheduler),
        upscalers=listing(transport, "/sdapi/v1/upscalers", Upscaler),
        latent_upscalers=_names(transport, "/sdapi/v1/latent-upscale-modes"),
        loras=listing(transport, "/sdapi/v1/loras", Lora),
        embeddings=tuple(embeddings),
        styles=_names(transport, "/sdapi/v1/prompt-styles"),
        face_restorers=_names(transport, "/sdapi/v1/face-restorers"),
        scripts_txt2img=_titles(scripts.get("txt2img")),
        scripts_img2img=_titles(scripts.get("img2img")),
        adetailer=_adetailer(transport, scripts),
        controlnet=_controlnet(transport, flavour, options),
        face_swappers=tuple(_face_swappers(transport)),
        motion_modules=_strings(own, "motion_modules") if own and "motion_modules" in own else None,
        native_size=_native_size(own, embeddings, loaded, current),
        demonstration=bool((own or {}).get("demonstration")),
        has_internal_progress=internal,
        easyphoto=transport.takes_post(EASYPHOTO),
    )


def core_options(transport: Transport) -> Mapping[str, Any]:
    """Return the server's options, which only a WebUI with its API on has; raises NotAWebui otherwise."""
    try:
        options = transport.get("/sdapi/v1/options")
    except RequestRefused as error:
        raise NotAWebui(transport.url, f"it has no /sdapi/v1/options ({error.status})") from error
    except BadAnswer as error:
        raise NotAWebui(transport.url, f"its /sdapi/v1/options is unusable: {error.reason}") from error
    if not isinstance(options, dict):
        raise NotAWebui(transport.url, "its /sdapi/v1/options is no object")
    return options


def listing(transport: Transport, path: str, kind: type[Listed]) -> tuple[Listed, ...]:
    """Return a listing as typed values, empty where the server has no such route. Raises BadAnswer if it is
    garbage.
    """
    items = transport.find(path)
    if items is None:
        return ()
    if not isinstance(items, list):
        raise BadAnswer(transport.url, path, "it is no list")
    try:
        return tuple(kind.model_validate(item) for item in items)
    except ValidationError as error:
        raise BadAnswer(transport.url, path, str(error.errors(include_url=False)[:3])) from error


def _own_engine(transport: Transport) -> dict[str, Any] | None:
    answer = transport.find("/internal/sajin")
    return answer if isinstance(answer, dict) and answer.get("name") == "sajin" else None


def _flavour(transport: Transport) -> Flavour:
    if transport.find("/sdapi/v1/platform") is not None:
        return "sdnext"
    if transport.find("/sdapi/v1/sd-modules") is not None:
        return "forge"
    flags = _object(transport, "/sdapi/v1/cmd-flags")
    return "reforge" if any(name.startswith("forge_") for name in flags) else "a1111"


def _version(
    transport: Transport, own: Mapping[str, Any] | None, known: str | None, *, internal: bool
) -> str | None:
    if own:
        return str(own.get("version"))
    if known or not internal:
        return known
    report = _object(transport, "/internal/sysinfo", params={"attachment": "false"})
    return str(report["Version"]) if report.get("Version") else None


def _object(transport: Transport, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    answer = transport.find(path, params=params)
    return answer if isinstance(answer, dict) else {}


def _names(transport: Transport, path: str) -> tuple[str, ...]:
    items = transport.find(path)
    told = items if isinstance(items, list) else []
    return tuple(str(item["name"]) for item in told if isinstance(item, dict) and "name" in item)


def _titles(titles: Any) -> tuple[str, ...]:
    return tuple(str(title).lower() for title in titles) if isinstance(titles, list) else ()


def _strings(answer: Mapping[str, Any], key: str) -> tuple[str, ...]:
    items = answer.get(key)
    return tuple(str(item) for item in items) if isinstance(items, Iterable) else ()


def _embeddings(transport: Transport) -> Mapping[str, Any]:
    loaded = _object(transport, "/sdapi/v1/embeddings").get("loaded")
    return loaded if isinstance(loaded, dict) else {}


def _adetailer(transport: Transport, scripts: Mapping[str, Any]) -> ADetailerCapability | None:
    if "adetailer" not in _titles(scripts.get("img2img")):
        return None
    schema = _object(transport, "/adetailer/v1/schema").get("properties")
    version = _object(transport, "/adetailer/v1/version").get("version")
    return ADetailerCapability(
        version=str(version) if version else None,
        models=_strings(_object(transport, "/adetailer/v1/ad_model"), "ad_model"),
        max_tabs=_adetailer_tabs(transport),
        fields=tuple(schema) if isinstance(schema, dict) else (),
    )


def _adetailer_tabs(transport: Transport) -> int:
    """Return how many tabs the script takes: its arguments are two booleans and the tabs."""
    booleans, usual = 2, 4
    infos = transport.find("/sdapi/v1/script-info")
    for info in infos if isinstance(infos, list) else []:
        if isinstance(info, dict) and str(info.get("name")).lower() == "adetailer":
            return max(1, len(info.get("args") or ()) - booleans)
    return usual


def _controlnet(
    transport: Transport, flavour: Flavour, options: Mapping[str, Any]
) -> ControlNetCapability | None:
    listed = transport.find("/controlnet/model_list", params={"update": "true"})
    if not isinstance(listed, dict):
        return None
    mikubill = transport.find("/controlnet/version") is not None
    settings = _object(transport, "/controlnet/settings")
    return ControlNetCapability(
        dialect="mikubill" if mikubill else "forge",
        models=tuple(name for name in _strings(listed, "model_list") if name != "None"),
        modules=_strings(_object(transport, "/controlnet/module_list"), "module_list"),
        max_units=int(settings.get("control_net_unit_count") or options.get("control_net_unit_count") or 3),
        returns_maps=WAYS[flavour].returns_maps,
        maps_switched_off=bool(options.get("control_net_no_detectmap")),
    )


def _face_swappers(transport: Transport) -> Iterable[FaceSwapCapability]:
    if _object(transport, "/faceswaplab/version").get("version"):
        yield FaceSwapCapability(swapper="faceswaplab")
    swappers: tuple[Swapper, ...] = ("reactor", "roop")
    for swapper in swappers:
        listed = _object(transport, f"/{swapper}/models")
        if "models" in listed:
            yield FaceSwapCapability(swapper=swapper, models=_strings(listed, "models"))


def _native_size(
    own: Mapping[str, Any] | None,
    embeddings: Mapping[str, Any],
    loaded: Checkpoint | None,
    current: str,
) -> int:
    """Return the pixels the checkpoint was made for.

    Our engine says so. Elsewhere the width of the embeddings that the checkpoint could load tells its
    family, then the name of its configuration, then its own name; without any sign it is taken for a Stable
    Diffusion 1.
    """
    if own:
        return int(own.get("native_size") or NATIVE_SIZE_SD1)
    widths = {entry.get("shape") for entry in embeddings.values() if isinstance(entry, dict)}
    if widths and widths <= {SD1_WIDTH}:
        return NATIVE_SIZE_SD1
    if widths and widths <= {SD2_WIDTH}:
        return NATIVE_SIZE_SD2
    if widths:
        return NATIVE_SIZE_SDXL
    sdxl = names_sdxl(loaded.config if loaded else None, current)
    return NATIVE_SIZE_SDXL if sdxl else NATIVE_SIZE_SD1

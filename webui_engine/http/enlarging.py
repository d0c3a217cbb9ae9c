"""The extras tab: enlarge by one upscaler or a blend of two. Source: the A1111 contract notes, upscale section 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from webui_client import infotext
from webui_engine.errors import BadValue, WouldBeIgnored
from webui_engine.http.generation import names
from webui_engine.http.pictures import flat, read_texts
from webui_engine.http.schema import ExtrasFields

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine

LARGEST_PIXELS = 64_000_000
NONE = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlarged:
    """pictures with the text chunks each is written with; html: A1111's one line on what was done."""

    pictures: tuple[Image.Image, ...]
    texts: tuple[dict[str, str], ...]
    html: str


def enlarge(request: ExtrasFields, images: Sequence[Image.Image], engine: Engine) -> Enlarged:
    """Every picture, as the request says; raises UnknownName, BadValue."""
    if request.gfpgan_visibility or request.codeformer_visibility:
        raise WouldBeIgnored(
            "gfpgan_visibility, codeformer_visibility", "above 0", "no face restorer is installed"
        )
    first, second = (names.upscaler(engine, name) for name in (request.upscaler_1, request.upscaler_2))
    note = _note(request, first, second)
    made = tuple(_one(request, image, first, second, engine) for image in images)
    return Enlarged(
        pictures=made,
        texts=tuple(_texts(image, note) for image in images),
        html=f"<p>{note}</p>",
    )


def target_size(request: ExtrasFields, size: tuple[int, int]) -> tuple[int, int]:
    """The enlarged width and height in pixels before any cropping; raises BadValue beyond the limit."""
    if request.resize_mode == 0:
        factor = request.upscaling_resize
    else:
        factor = max(request.upscaling_resize_w / size[0], request.upscaling_resize_h / size[1])
    width, height = (max(8, int(side * factor) // 8 * 8) for side in size)
    if width * height > LARGEST_PIXELS:
        raise BadValue("upscaling_resize", factor, f"{width}x{height} is over {LARGEST_PIXELS} pixels")
    return width, height


def _one(request: ExtrasFields, image: Image.Image, first: str, second: str, engine: Engine) -> Image.Image:
    if first == NONE:
        return image
    picture = flat(image)
    size = target_size(request, picture.size)
    made = engine.upscale(picture, first, *size)
    if second != NONE and request.extras_upscaler_2_visibility > 0:
        made = Image.blend(made, engine.upscale(picture, second, *size), request.extras_upscaler_2_visibility)
    if request.resize_mode == 1 and request.upscaling_crop:
        return ImageOps.fit(made, (request.upscaling_resize_w, request.upscaling_resize_h))
    return made


def _note(request: ExtrasFields, first: str, second: str) -> str:
    if first == NONE:
        return ""
    pairs: list[tuple[str, str]] = []
    if request.resize_mode == 0:
        pairs.append(("Postprocess upscale by", str(request.upscaling_resize)))
    else:
        pairs.append(("Postprocess upscale to", f"{request.upscaling_resize_w}x{request.upscaling_resize_h}"))
    pairs.append(("Postprocess upscaler", first))
    if second != NONE and request.extras_upscaler_2_visibility > 0:
        pairs.append(("Postprocess upscaler 2", second))
    return infotext.render_pairs(pairs)


def _texts(image: Image.Image, note: str) -> dict[str, str]:
    kept, _ = read_texts(image)
    return ({"parameters": kept} if kept else {}) | {"postprocessing": note}

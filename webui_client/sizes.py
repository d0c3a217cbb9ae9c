"""The sizes that pictures must come back with, by the server's own rules of rounding."""

from __future__ import annotations

from webui_client.pictures import size_of
from webui_client.units.upscale import floor_to
from webui_client.values import Extras, Hires, Img2Img, Txt2Img

LATENT_CELL = 8


def expected_size(request: Txt2Img | Img2Img) -> tuple[int, int]:
    """Return the (width, height) in pixels that the request's pictures must have."""
    if isinstance(request, Img2Img):
        initial = size_of(request.init_images[0])
        if request.upscale:
            return request.upscale.result_size(*initial)
        if request.skips_img2img or (request.inpaint and request.inpaint.only_masked):
            return initial
    elif request.hires:
        return hires_size(request.hires, request.width, request.height)
    return floor_to(request.width, LATENT_CELL), floor_to(request.height, LATENT_CELL)


def hires_size(hires: Hires, width: int, height: int) -> tuple[int, int]:
    """Return the final (width, height) of hires fix: by scale, or to given sides, one of which may follow."""
    if not hires.width and not hires.height:
        sides = (width * hires.scale, height * hires.scale)
    else:
        sides = (hires.width or hires.height * width / height, hires.height or hires.width * height / width)
    return floor_to(sides[0], LATENT_CELL), floor_to(sides[1], LATENT_CELL)


def extras_size(request: Extras) -> tuple[int, int]:
    """Return the (width, height) in pixels that extras must return."""
    width, height = size_of(request.image)
    if request.upscaler == "None":
        return width, height
    if request.size is None:
        return floor_to(width * request.scale, 8), floor_to(height * request.scale, 8)
    if request.crop:
        return request.size
    factor = max(request.size[0] / width, request.size[1] / height)
    return floor_to(width * factor, 8), floor_to(height * factor, 8)

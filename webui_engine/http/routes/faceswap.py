"""faceswaplab's own routes. Source: the A1111 contract notes, faceswap section 1."""

from __future__ import annotations

import numpy as np
from flask import Blueprint, Response, jsonify
from PIL import Image

from webui_engine.errors import BadValue, WouldBeIgnored
from webui_engine.faceswap.transfer import FaceIn, lay_face
from webui_engine.http.pictures import FileForm, decode, encode, flat
from webui_engine.http.reading import read
from webui_engine.http.routes.table import get, post
from webui_engine.http.schema import FaceSwapRequest, FaceSwapUnit
from webui_engine.http.services import services

blueprint = Blueprint("faceswap", __name__)

VERSION = "v1.2.7"


@get(blueprint, "/faceswaplab/version")
def version() -> Response:
    """The version of the extension whose API this server speaks."""
    return jsonify({"version": VERSION})


@post(blueprint, "/faceswaplab/swap_face")
def swap_face() -> Response:
    """A picture with the units' faces laid onto its own, one unit after the other; unchanged where it has none."""
    request = read(FaceSwapRequest)
    _refuse_what_is_not_here(request)
    image = flat(decode(request.image))
    with services().queue.turn():
        pixels = np.asarray(image)
        for unit in request.units:
            target = FaceIn.nth(pixels, unit.faces_index[0])
            if target is not None:
                pixels = lay_face(_source(unit), target)
    return jsonify({"images": [encode(Image.fromarray(pixels), FileForm())], "infos": []})


def _source(unit: FaceSwapUnit) -> FaceIn:
    """The face that a unit gives. Raises BadValue as the extension fails: no source, or no face in it."""
    given = unit.source_img or next(iter(unit.batch_images or ()), None)
    if given is None:
        raise BadValue("source_img", None, "No reference face found")
    face = FaceIn.nth(np.asarray(flat(decode(given))), unit.reference_face_index)
    if face is None:
        raise BadValue("source_img", "a picture", "Face not found in reference image")
    return face


def _refuse_what_is_not_here(request: FaceSwapRequest) -> None:
    """Raise WouldBeIgnored for all that no landmark can do: stored faces, similarity, inpainting, restoring."""
    for unit in request.units:
        asked = {
            "source_face": unit.source_face not in (None, "None"),
            "same_gender": unit.same_gender,
            "check_similarity": unit.check_similarity,
            "compute_similarity": unit.compute_similarity,
            "pre_inpainting": unit.pre_inpainting is not None,
            "post_inpainting": unit.post_inpainting is not None,
            "swapping_options": unit.swapping_options is not None,
        }
        for field in (name for name, is_asked in asked.items() if is_asked):
            raise WouldBeIgnored(field, True, "faces are laid on by landmarks alone here")
    if request.postprocessing is not None:
        raise WouldBeIgnored("postprocessing", True, "no face restorer is installed")

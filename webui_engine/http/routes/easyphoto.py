"""POST /easyphoto/easyphoto_train_forward, in EasyPhoto's manner: 200 and a text, whatever happened."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from PIL import Image

from webui_engine.http.pictures import decode
from webui_engine.http.reading import read_dict
from webui_engine.http.routes.table import post
from webui_engine.http.services import services

blueprint = Blueprint("easyphoto", __name__)


@post(blueprint, "/easyphoto/easyphoto_train_forward")
def train() -> Response:
    """Learn a person; blocks until it is over. Only a picture that cannot be read, or has an alpha, is status 500."""
    body = read_dict()
    photos = [_as_jpeg(decode(text)) for text in body.get("instance_images", [])]
    return jsonify({"message": services().easyphoto.train(body, photos)})


def _as_jpeg(picture: Image.Image) -> Image.Image:
    """The picture in RGB; raises OSError for one that EasyPhoto could not write as a JPEG."""
    if picture.mode not in ("RGB", "L", "CMYK", "YCbCr", "1"):
        raise OSError(f"cannot write mode {picture.mode} as JPEG")
    return picture.convert("RGB")

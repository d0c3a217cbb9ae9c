"""Small copies of pictures, made when first asked for."""

from __future__ import annotations

import io
from pathlib import Path

from studio.store import TEMPORARY, Store, write_whole

LONGER_SIDE = 384


def thumbnail(store: Store, path: str) -> Path:
    """A JPEG of at most 384 pixels on the longer side. Raises StorageError when the picture is gone."""
    place = store.small_copy(path)
    if not place.exists():
        write_whole(place, shrunk(store.get(path)), store.cache / TEMPORARY)
    return place


def shrunk(picture: bytes) -> bytes:
    """The picture as a JPEG within LONGER_SIDE pixels."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        small = image.convert("RGB")
    small.thumbnail((LONGER_SIDE, LONGER_SIDE))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=88)
    return out.getvalue()

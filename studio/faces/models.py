"""The model files that come inside installed packages, found without importing those packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from studio.faces.errors import FaceModelMissing


def dlib_model(name: str) -> Path:
    """The path of a dlib model in face_recognition_models, whose own code needs the long gone pkg_resources.

    Raises FaceModelMissing.
    """
    package = "face_recognition_models"
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    path = Path(next(iter(places))) / "models" / name if places else None
    if path is None or not path.is_file():
        raise FaceModelMissing(package, name)
    return path

"""Mediapipe's detectors on a real face, and YOLO files where nothing can run them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from webui_engine.adetailer.detectors import MEDIAPIPE, Detectors
from webui_engine.errors import UnknownName

FACE = (175, 70, 280, 175)
"""Where the astronaut's face is, in a picture of 512 x 512."""


@pytest.mark.parametrize("name", MEDIAPIPE)
@pytest.mark.parametrize("side", [512, 128])
def test_a_face_is_found_where_it_is(name: str, side: int, astronaut: Image.Image) -> None:
    found = Detectors([]).find(name, astronaut.resize((side, side)), 0.3)
    assert len(found) == 1
    left, top, right, bottom = (value * 512 / side for value in found[0].box)
    assert FACE[0] - 15 < (left + right) / 2 < FACE[2] + 15
    assert FACE[1] - 15 < (top + bottom) / 2 < FACE[3] + 15
    assert found[0].mask.size == (side, side)
    assert found[0].mask.getbbox() is not None


def test_eyes_are_a_small_part_of_the_face(astronaut: Image.Image) -> None:
    detectors = Detectors([])
    mesh, eyes = (detectors.find(name, astronaut, 0.3)[0].mask.histogram()[255] for name in MEDIAPIPE[2:])
    assert 0 < eyes < mesh / 5


def test_a_face_that_fills_the_frame_is_found(astronaut: Image.Image) -> None:
    assert Detectors([]).find("mediapipe_face_full", astronaut.crop((170, 60, 285, 185)), 0.3)


def test_nothing_is_found_where_there_is_nobody() -> None:
    assert Detectors([]).find("mediapipe_face_full", Image.new("RGB", (128, 128), "teal"), 0.3) == ()


def test_yolo_files_are_not_listed_while_nothing_can_run_them(tmp_path: Path) -> None:
    (tmp_path / "face_yolov8n.pt").write_bytes(b"weights")
    assert Detectors([tmp_path]).names() == MEDIAPIPE


ULTRALYTICS = """
import torch
from types import SimpleNamespace

class YOLO:
    def __init__(self, weights):
        self.segments = weights.stem.endswith("-seg")

    def __call__(self, picture, conf, verbose):
        corners = torch.tensor([[-5.0, 8.0, 32.0, 40.0], [40.0, 40.0, 60.0, 60.0]])
        boxes = SimpleNamespace(xyxy=corners, conf=torch.tensor([conf + 0.25, conf]))
        triangle = [[0.0, 8.0], [32.0, 8.0], [0.0, 40.0]]
        masks = SimpleNamespace(xy=[torch.tensor(triangle).numpy(), torch.empty(0, 2).numpy()])
        return [SimpleNamespace(boxes=boxes, masks=masks if self.segments else None)]
"""
"""The shape of ultralytics' answers (version 8.4); the package itself is not among our dependencies."""


@pytest.fixture
def yolo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Detectors:
    """Detectors with a YOLO file that finds boxes and one that finds outlines."""
    (tmp_path / "ultralytics.py").write_text(ULTRALYTICS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "adetailer").mkdir()
    for name in ("face_yolov8n.pt", "person_yolov8n-seg.pt"):
        (tmp_path / "adetailer" / name).write_bytes(b"weights")
    return Detectors([tmp_path / "adetailer"])


def test_yolo_files_are_run_where_the_package_is_there(yolo: Detectors) -> None:
    assert yolo.names() == ("face_yolov8n.pt", "person_yolov8n-seg.pt", *MEDIAPIPE)
    found = yolo.find("face_yolov8n.pt", Image.new("RGB", (64, 64)), 0.5)
    assert [(item.box, item.confidence) for item in found] == [
        ((0.0, 8.0, 32.0, 40.0), 0.75),
        ((40.0, 40.0, 60.0, 60.0), 0.5),
    ]
    assert found[0].mask.getbbox() == (0, 8, 33, 41)


def test_an_outline_masks_what_lies_in_it_and_a_missing_one_the_box(yolo: Detectors) -> None:
    outlined, boxed = yolo.find("person_yolov8n-seg.pt", Image.new("RGB", (64, 64)), 0.5)
    assert (outlined.mask.getpixel((4, 12)), outlined.mask.getpixel((28, 36))) == (255, 0)
    assert boxed.mask.getbbox() == (40, 40, 61, 61)


def test_an_unknown_detector_is_refused(astronaut: Image.Image) -> None:
    with pytest.raises(UnknownName):
        Detectors([]).find("face_yolov8n.pt", astronaut, 0.3)

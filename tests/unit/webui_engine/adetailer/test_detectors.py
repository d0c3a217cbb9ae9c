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
        self.weights = weights

    def __call__(self, picture, conf, verbose):
        boxes = SimpleNamespace(xyxy=torch.tensor([[-5.0, 8.0, 32.0, 40.0]]), conf=torch.tensor([conf + 0.25]))
        return [SimpleNamespace(boxes=boxes, masks=None)]
"""
"""The shape of ultralytics' answers; the package itself is not among our dependencies."""


def test_yolo_files_are_run_where_the_package_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ultralytics.py").write_text(ULTRALYTICS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "adetailer").mkdir()
    (tmp_path / "adetailer" / "face_yolov8n.pt").write_bytes(b"weights")
    detectors = Detectors([tmp_path / "adetailer"])
    assert detectors.names() == ("face_yolov8n.pt", *MEDIAPIPE)
    found = detectors.find("face_yolov8n.pt", Image.new("RGB", (64, 64)), 0.5)
    assert [(item.box, item.confidence) for item in found] == [((0.0, 8.0, 32.0, 40.0), 0.75)]
    assert found[0].mask.getbbox() == (0, 8, 33, 41)


def test_an_unknown_detector_is_refused(astronaut: Image.Image) -> None:
    with pytest.raises(UnknownName):
        Detectors([]).find("face_yolov8n.pt", astronaut, 0.3)

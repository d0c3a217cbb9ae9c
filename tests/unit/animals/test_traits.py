"""What is measured of a face: the same however the photo was taken, and other where the face is other."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from studio.animals.traits import measure_traits
from studio.faces.portrait import SeenHead
from studio.faces.pose import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from studio.faces.process import FaceProcess
from studio.library.animals import AnimalLibrary
from tests.persons import as_jpeg, hopper
from tests.unit.animals.conftest import pixels_of, traits_of
from tests.unit.id_photo.faces import VARIATIONS, Variation, photo

ORIGINAL = photo(VARIATIONS[0])
OF_THE_MESH = (
    "eye_droop", "eye_size", "eye_distance", "face_length", "jaw_width", "nose_width", "nose_length", "mouth_width",
    "brow_height",
)  # fmt: skip


@pytest.mark.parametrize("variation", VARIATIONS[1:], ids=lambda variation: variation.name)
def test_scale_shift_turn_and_light_leave_the_proportions(
    faces: FaceProcess, animals: AnimalLibrary, variation: Variation
) -> None:
    plain, varied = traits_of(faces, ORIGINAL), traits_of(faces, photo(variation))
    for name in OF_THE_MESH:
        spec = animals.traits[name]
        apart = abs(getattr(plain, name) - getattr(varied, name)) / spec.spread
        assert apart < 0.5, name


def test_a_photo_stretched_in_height_shows_a_longer_face(faces: FaceProcess) -> None:
    plain = Image.open(io.BytesIO(ORIGINAL))
    stretched = as_jpeg(plain.resize((plain.width, round(plain.height * 1.15))))
    assert traits_of(faces, stretched).face_length > 1.08 * traits_of(faces, ORIGINAL).face_length


def test_outer_eye_corners_moved_down_are_drooping_eyes(astronaut: SeenHead) -> None:
    mesh = astronaut.mesh.copy()
    mesh[[RIGHT_EYE_CORNERS[0], LEFT_EYE_CORNERS[1]], 1] += 5
    pixels = pixels_of(ORIGINAL)
    before, after = measure_traits(pixels, astronaut), measure_traits(pixels, replace(astronaut, mesh=mesh))
    assert after.eye_droop > before.eye_droop + 5


def test_a_head_turned_aside_in_space_keeps_its_proportions(astronaut: SeenHead) -> None:
    yaw = np.radians(15)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    middle = astronaut.mesh.mean(axis=0)
    turned = replace(astronaut, mesh=(astronaut.mesh - middle) @ turn.T + middle)
    pixels = pixels_of(ORIGINAL)
    before, after = measure_traits(pixels, astronaut), measure_traits(pixels, turned)
    for name in OF_THE_MESH:
        assert getattr(after, name) == pytest.approx(getattr(before, name), rel=0.01), name


def test_hair_over_the_ears_hides_them_and_short_hair_shows_them(faces: FaceProcess) -> None:
    covered, free = traits_of(faces, ORIGINAL), traits_of(faces, hopper(1)[0])
    assert covered.ear_visibility < 0.2 < free.ear_visibility
    assert free.hair_length < 0.2 < covered.hair_length


def test_hair_dyed_red_is_measured_as_redder_and_dark_hair_as_darker(astronaut: SeenHead) -> None:
    pixels = pixels_of(ORIGINAL)
    across, down = np.meshgrid(*(np.arange(side) + 0.5 for side in pixels.shape[1::-1]))
    above = astronaut.to_frame(np.column_stack([across.ravel(), down.ravel()]))
    brows = astronaut.mesh[[66, 296], 1].min()
    top = (above[:, 1] < brows).reshape(pixels.shape[:2])
    red, dark = pixels.copy(), pixels.copy()
    red[top] = np.clip(red[top] * np.array([1.3, 0.6, 0.5]), 0, 255).astype(np.uint8)
    dark[top] = (dark[top] * 0.4).astype(np.uint8)
    plain, redder, darker = (measure_traits(one, astronaut) for one in (pixels, red, dark))
    assert redder.hair_redness > plain.hair_redness + 8
    assert darker.hair_lightness < plain.hair_lightness - 8


def test_a_head_without_hair_has_none(astronaut: SeenHead) -> None:
    bare = replace(astronaut, matte=np.zeros_like(astronaut.matte))
    traits = measure_traits(pixels_of(ORIGINAL), bare)
    assert (traits.hair_volume, traits.hair_length, traits.ear_visibility) == (0, 0, 0)

"""How far a picture keeps a face: nothing for the same, and only the place for one that was moved or turned."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from studio.animals.landmarks import best_fit, drawn_landmarks, into_picture, landmark_distance
from studio.animals.looking import look_at
from studio.errors import NoFace, SeveralFaces
from studio.faces.process import FaceProcess
from studio.faces.similarity import Similarity
from studio.faces.square import square_around
from studio.faces.values import Box
from tests.persons import as_jpeg, hopper
from tests.unit.id_photo.faces import VARIATIONS, Variation, photo
from tiny_model.animal_painter import paint_animal
from tiny_model.animals import Animal, sitter_at
from tiny_model.painter import paint

ORIGINAL = photo(VARIATIONS[0])
WALL = as_jpeg(Image.new("RGB", (500, 500), (180, 170, 160)))


def test_a_picture_of_the_same_face_lies_at_no_distance(faces: FaceProcess) -> None:
    seen = faces.portrait(ORIGINAL)
    same = landmark_distance(seen, seen)
    assert same.found
    assert [same.in_place, same.in_shape] == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("variation", [Variation("moved", shift=(40, 25)), Variation("turned", degrees=12)])
def test_a_moved_or_turned_face_keeps_its_shape_but_not_its_place(
    faces: FaceProcess, variation: Variation
) -> None:
    moved = landmark_distance(faces.portrait(ORIGINAL), faces.portrait(photo(variation)))
    assert moved.in_place is not None
    assert moved.in_shape is not None
    assert moved.in_place > 0.15
    assert moved.in_shape < 0.05


@pytest.mark.parametrize("name", ["basset-hound", "golden-retriever", "siberian-husky", "bear"])
def test_a_painted_animal_has_its_landmarks_where_the_painted_person_in_its_place_has_them(
    faces: FaceProcess, name: str
) -> None:
    sitter = sitter_at("square", 5)
    person, animal = paint(sitter).picture, paint_animal(Animal(name=name, portrait=sitter))
    kept = landmark_distance(
        *(faces.portrait(as_jpeg(Image.fromarray(picture))) for picture in (person, animal))
    )
    assert kept.in_place is not None
    assert kept.in_place < 0.15


def test_another_persons_face_differs_more_in_shape_than_another_photo_of_the_same(
    faces: FaceProcess,
) -> None:
    astronaut = faces.portrait(ORIGINAL)
    same, other = (
        landmark_distance(astronaut, faces.portrait(picture)).in_shape
        for picture in (photo(VARIATIONS[-1]), hopper(1)[0])
    )
    assert same is not None
    assert other is not None
    assert other > 2 * same


def test_where_no_face_is_found_there_is_no_distance_and_the_persons_landmarks_are_drawn(
    faces: FaceProcess,
) -> None:
    person, wall = faces.portrait(ORIGINAL), faces.portrait(WALL)
    assert landmark_distance(person, wall).model_dump() == {
        "found": False,
        "in_place": None,
        "in_shape": None,
    }
    drawn = np.asarray(Image.open(io.BytesIO(drawn_landmarks(WALL, person, wall))))
    assert drawn.shape[:2] == (768, 768)
    assert (drawn > 240).all(axis=2).any()
    assert not (drawn[..., 2] < 60).any(), "only the person's white lines, none of the picture's own"


def test_both_faces_are_drawn_where_both_are_found(faces: FaceProcess) -> None:
    person, moved = faces.portrait(ORIGINAL), photo(Variation("moved", shift=(40, 25)))
    drawn = np.asarray(Image.open(io.BytesIO(drawn_landmarks(moved, person, faces.portrait(moved))))).astype(
        int
    )
    orange = (drawn[..., 0] > 220) & (abs(drawn[..., 1] - 122) < 40) & (drawn[..., 2] < 60)
    assert orange.sum() > 300


def test_the_best_fit_undoes_any_turn_scale_and_move() -> None:
    points = np.random.default_rng(3).uniform(0, 100, (30, 2))
    moved = Similarity(1.7, 0.4, 12.0, -5.0)(points)
    assert best_fit(moved, points) == pytest.approx(points)


def test_a_photo_fills_a_picture_of_other_proportions_and_is_cut_in_the_middle() -> None:
    corners = np.array([[0.0, 0.0], [100.0, 100.0], [50.0, 50.0]])
    assert into_picture(corners, (100, 100), (200, 300)).tolist() == [[-50, 0], [250, 300], [100, 150]]


def test_the_kept_square_holds_the_head_and_stays_inside_the_photo(faces: FaceProcess) -> None:
    seen = look_at(ORIGINAL, faces)
    square = Image.open(io.BytesIO(seen.square))
    assert square.size == (seen.side, seen.side)
    assert faces.portrait(seen.square).head is not None
    cornered = square_around(Box(left=0, top=5, right=100, bottom=110), (180, 400))
    assert cornered.corners() == (0, 0, 180, 180)


def test_a_photo_without_a_face_and_one_with_two_are_refused(faces: FaceProcess) -> None:
    one = Image.open(io.BytesIO(ORIGINAL))
    two = Image.new("RGB", (one.width * 2, one.height))
    two.paste(one)
    two.paste(one, (one.width, 0))
    with pytest.raises(NoFace):
        look_at(WALL, faces)
    with pytest.raises(SeveralFaces):
        look_at(as_jpeg(two), faces)

"""People, their photos, and what erasing them leaves behind: nothing."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio.assembly import Foundations, lay_foundations
from studio.database.tables import IdPhotoRow
from studio.errors import ConsentRequired, NotEnoughPhotos, NotFound, TooManyPhotos, TrainingUnavailable
from studio.faces.process import FaceProcess
from studio.service import Studio
from studio.settings import Settings
from studio.values import MAX_PHOTOS, NewSubject, Subject, UploadedFile
from tests.persons import as_jpeg, astronaut, hopper


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One studio for the module, so that the face process starts once; each test has a subject of its own."""
    settings = Settings(
        _env_file=None, data=tmp_path_factory.mktemp("data"), webui_urls=("http://127.0.0.1:9",)
    )
    base = lay_foundations(settings)
    with base.closing:
        yield Studio(base)


@pytest.fixture
def anna(house: Studio) -> Subject:
    return house.create_subject(NewSubject(name="안나", class_noun="woman", consent=True))


def upload(*contents: bytes, name: str = "photo.jpg") -> list[UploadedFile]:
    return [UploadedFile(filename=name, stream=io.BytesIO(content)) for content in contents]


def test_a_subject_needs_consent(house: Studio) -> None:
    with pytest.raises(ConsentRequired):
        house.create_subject(NewSubject(name="B", consent=False))


def test_a_new_subject_says_what_is_missing(anna: Subject) -> None:
    assert anna.state == "photos"
    assert (anna.set.enough, anna.set.fit, anna.set.needed, anna.set.code) == (False, 0, 3, "add_photos")
    assert anna.consent.version


def test_photos_are_kept_or_refused_file_by_file(house: Studio, anna: Subject) -> None:
    added = house.add_photos(anna.id, upload(*astronaut(3), b"", b"no picture"))
    assert [photo.status for photo in added.items] == ["fit"] * 3
    assert [refused.code for refused in added.refused] == ["empty_file", "not_a_picture"]
    assert added.set.enough
    assert house.subject(anna.id).cover_photo == added.items[0].id


def test_a_photo_that_kills_the_process_that_looks_at_it_is_refused_and_the_others_stay(
    base: Foundations, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    house = Studio(dataclasses.replace(base, faces=FaceProcess(python=str(broken))))
    subject = house.create_subject(NewSubject(name="B", consent=True))

    added = house.add_photos(subject.id, upload(*astronaut(1, side=256), name="poison.jpg"))

    assert [(photo.filename, photo.code) for photo in added.refused] == [("poison.jpg", "not_looked_at")]


def test_a_dangerous_name_is_only_shown(house: Studio, anna: Subject) -> None:
    data = house.settings.data_folder
    before = {file for file in data.rglob("*") if "photos" not in file.parts and file.is_file()}
    added = house.add_photos(
        anna.id, upload(*astronaut(1), name='../../\0"x"; rm -rf 💥' + "é" * 300 + ".jpg")
    )
    photo = added.items[0]
    assert "/" not in photo.filename
    assert len(photo.filename) <= 100
    path = house.photo_file(photo.id)
    assert path.is_relative_to(data / "photos" / anna.id)
    assert {file for file in data.rglob("*") if "photos" not in file.parts and file.is_file()} == before


def test_too_many_photos_at_once_keep_none(house: Studio, anna: Subject) -> None:
    with pytest.raises(TooManyPhotos) as refused:
        house.add_photos(anna.id, upload(*[b"x"] * (MAX_PHOTOS + 20)))
    assert refused.value.data == {"limit": 40, "present": 0, "offered": 60}
    assert house.photos(anna.id).items == ()


def test_a_near_duplicate_is_judged_in_the_light_of_the_first_and_freed_by_its_removal(
    house: Studio, anna: Subject
) -> None:
    (photo,) = astronaut(1)
    first, second = house.add_photos(anna.id, upload(photo, photo)).items
    assert [reason.code for reason in second.reasons] == ["near_duplicate"]
    house.remove_photo(anna.id, first.id)
    (left,) = house.photos(anna.id).items
    assert (left.id, left.status) == (second.id, "fit")
    assert house.photo_file(second.id).exists()


def test_a_thumbnail_is_small(house: Studio, anna: Subject) -> None:
    photo = house.add_photos(anna.id, upload(*astronaut(1))).items[0]
    with Image.open(house.photo_file(photo.id, "thumbnail")) as small:
        assert max(small.size) == 384


def test_another_owner_sees_nothing(house: Studio, anna: Subject) -> None:
    photo = house.add_photos(anna.id, upload(*astronaut(1))).items[0]
    stranger = Studio(house._foundations, owner_id="stranger")
    assert stranger.list_subjects() == ()
    with pytest.raises(NotFound):
        stranger.subject(anna.id)
    with pytest.raises(NotFound):
        stranger.photo_file(photo.id)


def test_erasing_a_subject_erases_its_files(house: Studio, anna: Subject) -> None:
    photo = house.add_photos(anna.id, upload(*astronaut(2))).items[0]
    house.photo_file(photo.id, "thumbnail")
    house.erase_subject(anna.id)
    assert not any(file.is_file() and anna.id in str(file) for file in house.settings.data_folder.rglob("*"))
    with pytest.raises(NotFound):
        house.photos(anna.id)


def test_erasing_a_subject_erases_the_id_photos_of_its_pictures(house: Studio, anna: Subject) -> None:
    made = house.make_id_photo(upload(astronaut(1)[0])[0], "kr-resume-3x4")
    files = [house.id_photo_file(made.id), house.id_photo_check(made.id)]
    with house._foundations.database.write() as session:
        row = session.get(IdPhotoRow, made.id)
        assert row is not None
        row.subject_id = anna.id
    house.erase_subject(anna.id)
    assert [file for file in files if file.exists()] == []
    with pytest.raises(NotFound):
        house.id_photo(made.id)


def test_training_beside_a_webui_needs_its_checkpoint_and_lora_folder(house: Studio, anna: Subject) -> None:
    with pytest.raises(TrainingUnavailable) as refused:
        house.start_training(anna.id)
    assert refused.value.reason == "checkpoint_unknown"
    assert house.status().training.code == "checkpoint_unknown"


def test_training_says_what_else_is_missing(tmp_path: Path) -> None:
    checkpoint = tmp_path / "model.safetensors"
    loras = tmp_path / "loras"
    settings = Settings(
        _env_file=None, data=tmp_path / "data", webui_urls=("http://127.0.0.1:9",), checkpoint=checkpoint
    )
    codes = []
    for change in ({}, {"lora_dir": loras}):
        base = lay_foundations(settings.model_copy(update=change))
        with base.closing:
            codes.append(Studio(base).status().training.code)
        checkpoint.touch()
    base = lay_foundations(settings)
    with base.closing:
        codes.append(Studio(base).status().training.code)
    assert codes == ["checkpoint_missing", "lora_dir_missing", "lora_dir_unknown"]


def test_too_few_photos_are_not_learned_from(tmp_path: Path) -> None:
    base = lay_foundations(Settings(_env_file=None, data=tmp_path / "data"))
    with base.closing:
        studio = Studio(base)
        subject = studio.create_subject(NewSubject(name="C", consent=True))
        with pytest.raises(NotEnoughPhotos) as refused:
            studio.start_training(subject.id)
        assert refused.value.verdict.needed == 3


def test_a_photo_has_a_caption_of_its_own_until_its_owner_writes_one(house: Studio, anna: Subject) -> None:
    photo = house.add_photos(anna.id, upload(*astronaut(1))).items[0]
    assert photo.caption.startswith("head and shoulders, facing the camera, smiling, wearing")
    assert not photo.own_caption
    changed = house.set_caption(anna.id, photo.id, "in a space suit")
    assert (changed.caption, changed.own_caption) == ("in a space suit", True)
    house.add_photos(anna.id, upload(astronaut(2)[1]))
    assert house.photos(anna.id).items[0] == changed
    assert house.set_caption(anna.id, photo.id, None) == photo


def test_a_caption_of_a_photo_that_is_not_there_is_refused(house: Studio, anna: Subject) -> None:
    other = house.create_subject(NewSubject(name="B", consent=True))
    photo = house.add_photos(other.id, upload(*astronaut(1))).items[0]
    with pytest.raises(NotFound):
        house.set_caption(anna.id, photo.id, "mine")
    with pytest.raises(NotFound):
        house.set_caption(anna.id, "gone", "mine")


def test_the_coach_names_the_odd_one_out_and_the_better_of_two(house: Studio, anna: Subject) -> None:
    smaller = Image.open(io.BytesIO(astronaut(1)[0])).resize((600, 572))
    photos = house.add_photos(anna.id, upload(as_jpeg(smaller), *astronaut(3), hopper(1)[0])).items
    told = house.coach(anna.id)
    assert told.usable == 3
    assert told.strangers == (photos[4].id,)
    assert [(group.best, group.others) for group in told.duplicates] == [(photos[1].id, (photos[0].id,))]
    assert told.wish is not None


def test_nobody_is_coached_about_a_subject_that_is_not_there(house: Studio) -> None:
    with pytest.raises(NotFound):
        house.coach("gone")

"""The photos as sd-scripts reads them: crops with captions in a folder, described by one TOML file."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from training.crops import cut, draw_frames
from training.errors import TrainingFailed
from training.port import TrainingPhoto, TrainingRequest

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
SHAPES_PER_PHOTO = 2
PHOTOS = "photos"
STEP = 64

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPlan:
    """resolution: side of the square crops in pixels. repeats: of each crop in an epoch.

    class_pictures: folder of regularisation pictures, None for none.
    """

    resolution: int
    batch_size: int
    repeats: int
    class_pictures: Path | None


def shapes(resolution: int) -> tuple[Size, Size]:
    """A square and an upright size that are buckets of sd-scripts' own, so that it takes crops of them as they are."""
    width = resolution * 7 // 8 // STEP * STEP or resolution
    return (resolution, resolution), (width, resolution * resolution // width // STEP * STEP)


def caption_of(photo: TrainingPhoto, instance_token: str, class_noun: str) -> str:
    """Who it is, then what varies: what is captioned is not learned as part of the person."""
    who = f"photo of {instance_token} {class_noun}".strip()
    varying = " ".join(photo.caption.split())
    return f"{who}, {varying}" if varying else who


def pictures_in(folder: Path) -> list[Path]:
    """The pictures sd-scripts would find in a folder, not in those below it."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.is_file())


def write_photos(request: TrainingRequest, resolution: int, folder: Path) -> int:
    """Write crops around each face with their captions into folder; how many there are.

    Raises TrainingFailed for a photo that is gone or cannot be read. The same request writes the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(request.seed)
    for number, photo in enumerate(request.photos):
        caption = caption_of(photo, request.instance_token, request.class_noun)
        for shape, picture in enumerate(_crops(photo, resolution, source)):
            stem = folder / f"{number:03}-{shape}"
            picture.save(stem.with_suffix(".png"))
            stem.with_suffix(".txt").write_text(f"{caption}\n", encoding="utf-8")
    return len(request.photos) * SHAPES_PER_PHOTO


def _crops(photo: TrainingPhoto, resolution: int, source: random.Random) -> Iterator[Image.Image]:
    try:
        picture = Image.open(photo.path).convert("RGB")
    except FileNotFoundError as error:
        raise TrainingFailed(
            "A training photo is not there any more.", "Look at the person's photos and start again."
        ) from error
    except UnidentifiedImageError as error:
        raise TrainingFailed(
            f"A training photo cannot be read: {error}.", "Remove the photo and add it again."
        ) from error
    for size in shapes(resolution):
        (frame,) = draw_frames(picture.size, photo, size, 1, source)
        yield cut(picture, frame, size)


def toml(plan: DatasetPlan, photos: Path, trigger: str, class_noun: str) -> str:
    """The text of the dataset's file (sd-scripts docs/config_README-en.md)."""
    smallest = min(plan.resolution, *(side for size in shapes(plan.resolution) for side in size))
    dataset: dict[str, object] = {
        "resolution": plan.resolution,
        "batch_size": plan.batch_size,
        "enable_bucket": True,
        "bucket_reso_steps": STEP,
        "min_bucket_reso": smallest,
        "max_bucket_reso": 2 * plan.resolution,
    }
    learned: dict[str, object] = {
        "image_dir": str(photos),
        "class_tokens": trigger,
        "caption_extension": ".txt",
        "num_repeats": plan.repeats,
        "flip_aug": True,
    }
    lines = ["[[datasets]]", *_entries(dataset), "", "[[datasets.subsets]]", *_entries(learned)]
    if plan.class_pictures is not None:
        others: dict[str, object] = {
            "image_dir": str(plan.class_pictures),
            "class_tokens": class_noun,
            "caption_extension": ".txt",
            "num_repeats": 1,
            "is_reg": True,
        }
        lines += ["", "[[datasets.subsets]]", *_entries(others)]
    return "\n".join(lines) + "\n"


def _entries(table: Mapping[str, object]) -> Iterable[str]:
    """A table's lines; text and numbers are spelled in TOML as in JSON."""
    return (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in table.items())

"""Renew the pictures the studio has made of its own work: one for each look, and those of the README.

It drives a running studio over its API, so the pictures are what anybody gets. Start the studio on an empty data
folder, then: python scripts/make_pictures.py --photos FOLDER. The looks are shown without anybody's identity; the
photos (of someone who agreed to be in the README) are learned for the portraits.
"""

import argparse
import io
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import requests
import yaml
from PIL import Image, ImageOps

REPOSITORY = Path(__file__).resolve().parents[1]
PRESETS = REPOSITORY / "presets"
THUMBNAILS = PRESETS / "thumbnails"
IMAGES = REPOSITORY / "docs" / "images"
THUMBNAIL_SIZE = (320, 400)
TILE_SIZE = (256, 384)
GAP = 8
PAPER = (250, 247, 242)
FINAL = ("succeeded", "failed", "cancelled")
SEED = 20
SEEDS = {"black-and-white": 32, "casual": 33}
"""Seeds of looks that another seed shows better."""

ANIMALS = {
    "animal": ("animal-pose", "red-fox"),
    "animal-pose": ("animal-pose", "golden-retriever"),
    "animal-repaint": ("animal-repaint", "rabbit"),
}
"""The way that makes each animal preset's thumbnail, and the animal: the bundled model has no ControlNet of faces."""

SHOWN_LOOKS = ("studio-profile", "business", "film", "outdoor", "stranger", "black-and-white")
LEARNED_LOOKS = ("studio-profile", "business", "film", "outdoor")


class Studio:
    """A running studio. url: of its API, without a slash at the end."""

    def __init__(self, url: str) -> None:
        """Speak to the studio at url."""
        self.url = url

    def call(self, method: str, path: str, **arguments: object) -> requests.Response:
        """Send one request; raises requests.HTTPError with the API's words when it is refused."""
        answer = requests.request(method, f"{self.url}{path}", timeout=60, **arguments)  # type: ignore[arg-type]
        if answer.status_code >= 400:
            raise requests.HTTPError(f"{method} {path}: {answer.text}")
        return answer

    def finished(self, path: str) -> dict[str, object]:
        """Wait for the job or training at path and return it; SystemExit when it did not succeed."""
        while True:
            state: dict[str, object] = self.call("GET", path).json()
            if state["status"] in FINAL:
                break
            time.sleep(0.5)
        if state["status"] != "succeeded":
            raise SystemExit(f"{path} {state['status']}: {state['error']}")
        return state

    def picture(self, url: str) -> Image.Image:
        """Return a picture of the API, RGB."""
        return Image.open(io.BytesIO(self.call("GET", url).content)).convert("RGB")

    def portrait(self, preset: str, subject: str | None, **options: object) -> dict[str, object]:
        """Make one picture and return it as the API describes it; options: of the job, besides its seed."""
        order = {
            "preset": preset,
            "subject": subject,
            "count": 1,
            "options": {"seed": SEEDS.get(preset, SEED), **options},
        }
        job = self.call("POST", "/api/v1/jobs", json=order).json()
        images = self.finished(f"/api/v1/jobs/{job['id']}")["images"]
        assert isinstance(images, list)
        return dict(images[0])

    def face_photo(self, photo: Path) -> str:
        """Keep the face in photo for jobs that work from one, and return its id."""
        files = {"picture": (photo.name, photo.read_bytes())}
        body = {"consent": "true"}
        return str(self.call("POST", "/api/v1/face-photos", files=files, data=body).json()["id"])

    def learn(self, photos: Iterable[Path]) -> str:
        """Learn the person in photos with the trainer's own settings and return the subject's id."""
        request = {"name": "README", "class_noun": "woman", "consent": True}
        subject = self.call("POST", "/api/v1/subjects", json=request).json()["id"]
        files = [("photos", (photo.name, photo.read_bytes())) for photo in photos]
        self.call("POST", f"/api/v1/subjects/{subject}/photos", files=files)
        training = self.call("POST", f"/api/v1/subjects/{subject}/trainings", json={}).json()
        self.finished(f"/api/v1/subjects/{subject}/trainings/{training['id']}")
        return str(subject)


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", default="http://127.0.0.1:8000")
    parser.add_argument(
        "--photos", type=Path, help="folder with photos of one person; portraits are left out without"
    )
    parser.add_argument(
        "--face", type=Path, help="photo of one person; animals are left out without, and all else with it"
    )
    options = parser.parse_args()
    studio = Studio(options.api.rstrip("/"))
    IMAGES.mkdir(parents=True, exist_ok=True)
    if options.face:
        make_animals(studio, options.face)
        return
    make_thumbnails(studio)
    make_overviews(studio)
    if options.photos:
        make_portraits(studio, sorted(options.photos.glob("*.jpg")))


def make_thumbnails(studio: Studio) -> None:
    """Make a thumbnail for each look that needs no photo and name it in the preset."""
    for preset in studio.call("GET", "/api/v1/presets").json()["items"]:
        if not any(option["key"] == "photo" for option in preset["options"]):
            keep_thumbnail(studio, preset["name"], studio.portrait(preset["name"], None))


def make_animals(studio: Studio, face: Path) -> None:
    """Make a thumbnail for each way to become an animal and name it in the preset."""
    photo = studio.face_photo(face)
    for preset, (way, animal) in ANIMALS.items():
        keep_thumbnail(studio, preset, studio.portrait(way, None, photo=photo, animal=animal))


def keep_thumbnail(studio: Studio, preset: str, image: Mapping[str, object]) -> None:
    """Write an image as the thumbnail of preset."""
    THUMBNAILS.mkdir(exist_ok=True)
    picture = ImageOps.fit(studio.picture(str(image["url"])), THUMBNAIL_SIZE, centering=(0.5, 0.2))
    picture.save(THUMBNAILS / f"{preset}.jpg", quality=82)
    name_thumbnail(PRESETS / f"{preset}.yaml")


def name_thumbnail(file: Path) -> None:
    """Add the key "thumbnail" before the product's stages, if the preset has none; comments stay as they are."""
    text = file.read_text(encoding="utf-8")
    if "thumbnail" not in yaml.safe_load(text):
        file.write_text(text.rstrip("\n") + f"\nthumbnail: {file.stem}.jpg\n", encoding="utf-8")


def make_overviews(studio: Studio) -> None:
    """Make the README's rows: some looks side by side, and the stages of one picture."""
    looks = [Image.open(THUMBNAILS / f"{name}.jpg") for name in SHOWN_LOOKS]
    side_by_side(looks).save(IMAGES / "looks.webp", quality=82)
    stages = studio.portrait(SHOWN_LOOKS[0], None)["stages"]
    assert isinstance(stages, list)
    side_by_side([studio.picture(stage["url"]) for stage in stages]).save(IMAGES / "stages.webp", quality=86)


def make_portraits(studio: Studio, photos: list[Path]) -> None:
    """Make a row of two photos and the portraits of the person in them."""
    subject = studio.learn(photos)
    portraits = [studio.portrait(look, subject) for look in LEARNED_LOOKS]
    taken = [Image.open(photo).convert("RGB") for photo in photos[:2]]
    made = [studio.picture(str(image["url"])) for image in portraits]
    side_by_side([*taken, *made]).save(IMAGES / "portraits.webp", quality=82)


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return the pictures in a row, each filling a tile."""
    width, height = TILE_SIZE
    row = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, height), PAPER)
    for place, picture in enumerate(pictures):
        row.paste(ImageOps.fit(picture, TILE_SIZE, centering=(0.5, 0.2)), (place * (width + GAP), 0))
    return row


if __name__ == "__main__":
    main()

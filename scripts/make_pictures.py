"""Renew the pictures the studio has made of its own work: one for each look and product, and those of the README.

It drives a running studio over its API, so the pictures are what anybody gets. Start the studio on an empty data
folder, then: python scripts/make_pictures.py --photos FOLDER. The looks are shown without anybody's identity, on people
described in words; what needs a photo is shown with NASA's portrait of Eileen Collins (public domain), which comes with
scikit-image. The photos (of someone who agreed to be in the README) are learned for the portraits. With names of looks
only their thumbnails are made anew.
"""

import argparse
import io
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import requests
import skimage.data
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
SEEDS = {
    "black-and-white": 32, "cafe": 33, "casual": 33, "editorial": 33, "golden-hour": 32, "graduation": 33, "hanbok": 33,
    "high-key": 33, "instant": 33, "instant-business": 33, "instant-quick": 33, "library": 33, "low-key": 33,
    "resume": 33, "retro-90s": 32,
}  # fmt: skip
"""Seeds of looks that another seed shows better."""
PEOPLE = {
    "actor-headshot": "man, short black hair",
    "cafe": "young woman, black hair bob",
    "editorial": "woman, black hair with bangs",
    "golden-hour": "young woman, long brown hair",
    "graduation": "young woman, long black hair",
    "hanbok": "young woman, black hair in a bun",
    "high-key": "young woman, long brown hair",
    "instant": "woman, short brown hair",
    "instant-business": "woman, short brown hair",
    "instant-quick": "woman, short brown hair",
    "library": "man, short brown hair",
    "low-key": "man, short black hair",
    "musician": "young man, long black hair",
    "neutral": "man, short black hair",
    "resume": "young woman, black hair bob",
    "retro-90s": "young man, curly brown hair",
}
"""Whom a look is shown on, in words."""
ANIMALS = {"animal-pose": "golden-retriever", "animal-repaint": "rabbit"}
"""The animal that a way is shown on, of those that the bundled model has learnt."""
ID_DOCUMENT = "kr-resume-3x4"
WORKBENCH_LOOKS = ("editorial", "low-key", "retro-90s", "hanbok")

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

    def portrait(self, preset: str, subject: str | None, **options: str) -> dict[str, object]:
        """Make one picture and return it as the API describes it."""
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

    def face_photo(self) -> str:
        """Send the demonstration photo for looks that work from one, and return its id."""
        files = {"picture": ("me.jpg", demonstration_photo())}
        answer = self.call("POST", "/api/v1/face-photos", files=files, data={"consent": "true"})
        return str(answer.json()["id"])

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
    parser.add_argument("looks", nargs="*", help="looks whose thumbnails are made anew; all if left out")
    options = parser.parse_args()
    studio = Studio(options.api.rstrip("/"))
    IMAGES.mkdir(parents=True, exist_ok=True)
    make_thumbnails(studio, options.looks)
    if options.looks:
        return
    make_product_pictures(studio)
    make_overviews(studio)
    if options.photos:
        make_portraits(studio, sorted(options.photos.glob("*.jpg")))


def make_thumbnails(studio: Studio, looks: Sequence[str]) -> None:
    """Make a thumbnail for each of the looks (all if none is named) that the servers can make, and name it in them."""
    THUMBNAILS.mkdir(exist_ok=True)
    photo = studio.face_photo()
    for name in looks or sorted(file.stem for file in PRESETS.glob("*.yaml")):
        preset = studio.call("GET", f"/api/v1/presets/{name}").json()
        if not preset["available"]:
            print(f"{name} is left out: {preset['missing'][0]['message']}")
            continue
        given = {"prompt": PEOPLE.get(name, "")}
        if any(option["key"] == "photo" for option in preset["options"]):
            given["photo"] = photo
        if name in ANIMALS:
            given = {"photo": photo, "animal": ANIMALS[name]}
        image = studio.portrait(name, None, **given)
        keep_thumbnail(studio.picture(str(image["url"])), name)
        name_thumbnail(PRESETS / f"{name}.yaml")


def keep_thumbnail(picture: Image.Image, name: str) -> None:
    """Keep a picture as the thumbnail of that name, cropped to its proportions."""
    thumbnail = ImageOps.fit(picture, THUMBNAIL_SIZE, centering=(0.5, 0.2))
    thumbnail.save(THUMBNAILS / f"{name}.jpg", quality=82)


def make_product_pictures(studio: Studio) -> None:
    """Make the pictures of products that no look shows: an ID photo, and for the workbench four looks in a square."""
    data = {"document": ID_DOCUMENT}
    made = studio.call(
        "POST", "/api/v1/id-photos", files={"picture": ("me.jpg", demonstration_photo())}, data=data
    )
    keep_thumbnail(studio.picture(str(made.json()["url"])), "id-photo")
    width, height = THUMBNAIL_SIZE
    square = Image.new("RGB", THUMBNAIL_SIZE, PAPER)
    for place, name in enumerate(WORKBENCH_LOOKS):
        look = Image.open(THUMBNAILS / f"{name}.jpg").resize((width // 2 - 1, height // 2 - 1))
        square.paste(look, ((width // 2 + 1) * (place % 2), (height // 2 + 1) * (place // 2)))
    keep_thumbnail(square, "workbench")


def demonstration_photo() -> bytes:
    """The head and shoulders of NASA's portrait of Eileen Collins as a JPEG."""
    file = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()).crop((75, 0, 400, 330)).resize((975, 990)).save(
        file, "JPEG", quality=92
    )
    return file.getvalue()


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

"""What the studio page shows at one place: everything it needs from the API, read at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from gradio_app.api import Api, Json
from gradio_app.place import Place

UNFINISHED = ("queued", "running")
LEARNED = "lora"
INSTANT = "instant"
NEWEST_IMAGES = 12


@dataclass(frozen=True)
class Scene:
    """One person's way through the studio as it stands. step: the open one of place.STEPS. images: the newest."""

    place: Place
    step: str
    subjects: list[Json]
    subject: Json | None
    photos: Json | None
    coach: Json | None
    presets: list[Json]
    poses: list[Json]
    images: list[Json]
    tones: list[Json]
    job: Json | None
    status: Json

    @property
    def preset(self) -> Json | None:
        """The chosen look, if it still exists."""
        return next((preset for preset in self.presets if preset["name"] == self.place.preset), None)

    @property
    def stages(self) -> list[Json]:
        """The stages of the job's look, in order."""
        name = self.job["preset"] if self.job else ""
        return next((list(preset["stages"]) for preset in self.presets if preset["name"] == name), [])

    @property
    def training(self) -> Json | None:
        """The last training of the person."""
        return self.subject["training"] if self.subject else None

    @property
    def moving(self) -> bool:
        """Whether a training or job shown here is still under way."""
        return any(unfinished(thing) for thing in (self.training, self.job) if thing)


def unfinished(thing: Mapping[str, object]) -> bool:
    """Return whether a job or training is waiting or running."""
    return thing["status"] in UNFINISHED


def read(api: Api, place: Place) -> Scene:
    """Read the scene at place; a person or job that no longer exists is left out of it."""
    job = api.found(f"/jobs/{place.job}?preview=true") if place.job else None
    if job and not place.subject and job["subject"]:
        place = place.moved(subject=job["subject"])
    subject = api.found(f"/subjects/{place.subject}") if place.subject else None
    presets = api.items("/presets")
    status = api.read("/status")
    learnable = bool(subject and (subject["adapter"] or status["training"]["available"]))
    place = settled(place, subject, job, presets, learnable)
    return Scene(
        place=place,
        step=open_step(place, subject, job),
        subjects=api.items("/subjects"),
        subject=subject,
        photos=api.read(f"/subjects/{place.subject}/photos") if subject else None,
        coach=api.read(f"/subjects/{place.subject}/coach") if subject else None,
        presets=presets,
        poses=api.items("/poses"),
        images=api.items("/images", limit=NEWEST_IMAGES),
        tones=api.items("/tones"),
        job=job,
        status=status,
    )


def glance(api: Api, place: Place) -> Scene:
    """Read only what moves at place: the person with the training, and the job with its look."""
    job = api.found(f"/jobs/{place.job}?preview=true") if place.job else None
    look = api.found(f"/presets/{job['preset']}") if job else None
    return Scene(
        place=place,
        step=place.step,
        subjects=[],
        subject=api.found(f"/subjects/{place.subject}") if place.subject else None,
        photos=None,
        coach=None,
        presets=[look] if look else [],
        poses=[],
        images=[],
        tones=[],
        job=job,
        status={},
    )


def settled(
    place: Place, subject: Json | None, job: Json | None, presets: list[Json], learnable: bool
) -> Place:
    """Return place without what no longer exists and with a look chosen.

    learnable: the person is learned or can be, so that looks with a learned person come first.
    """
    names = [preset["name"] for preset in presets]
    preset = place.preset if place.preset in names else (job or {}).get("preset", "")
    if preset not in names:
        preset = first_look(presets, learnable)
    return place.moved(subject=place.subject if subject else "", job=place.job if job else "", preset=preset)


def first_look(presets: list[Json], learnable: bool) -> str:
    """Return the look to begin with: of a learned person if learnable, else one that needs nobody."""
    able = [preset for preset in presets if preset["available"]]
    fitting = [preset for preset in able if (preset["identity"] == LEARNED) == learnable]
    return next((preset["name"] for preset in [*fitting, *able, *presets]), "")


def instant_look(presets: list[Json]) -> str:
    """Return the first look that can be made from one photo of a person, without learning; "" without one."""
    able = (preset["name"] for preset in presets if preset["available"] and preset["identity"] == INSTANT)
    return next(able, "")


def open_step(place: Place, subject: Json | None, job: Json | None) -> str:
    """Return the step to open: the one in the address if it can be, else the first that is not done."""
    if (
        place.step
        and (place.step != "portraits" or job)
        and (subject or place.step not in ("photos", "learn"))
    ):
        return place.step
    if job:
        return "portraits"
    if not subject:
        return "who"
    if subject["state"] == "ready":
        return "look"
    return "learn" if subject["set"]["enough"] or subject["state"] != "photos" else "photos"

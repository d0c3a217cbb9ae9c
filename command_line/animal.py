"""`sajin animal`: which animal a face is like, in words, and pictures of that animal that keep pose and features."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from command_line.errors import CannotStart, JobFailed
from command_line.report import reported
from command_line.terminal import Terminal
from studio.animals.looking import look_at
from studio.animals.ranking import ranked
from studio.errors import StudioError
from studio.faces.process import FaceProcess
from studio.intake import BadPicture, decode
from studio.library.reading import Library, read_library
from studio.settings import Settings
from studio.values import AnimalMatch

if TYPE_CHECKING:
    from command_line.session import Session

PRODUCT = "animal"
SHOWN = 5
CONSENT_LINE = "By going on you say that the person in this photo agrees to this use of it."
DEMONSTRATION_LINE = (
    "Sajin's own small demonstration model has learnt to draw {animals}; nothing else, and no photographs. Connect a "
    "real server for those: sajin animal --webui http://host:7860 …"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimalRequest:
    """What is wanted. animal: a name of prompts/animals.yaml, None for the one most like the face.

    preset: one of the product "animal", None for the first that a server can make. seed: None draws one.
    """

    photo: Path
    animal: str | None
    preset: str | None
    count: int
    seed: int | None
    out: Path
    rank_only: bool


def run(request: AnimalRequest, settings: Settings, webui_urls: tuple[str, ...], *, as_json: bool) -> int:
    """Rank, then make the pictures unless only the ranking is wanted. Exit status 0 when all that was asked for exists.

    With as_json the last line of standard output is one JSON object, also when it failed ("error"). Raises CannotStart
    for an animal that is not known, before the photo is looked at.
    """
    terminal = Terminal()
    report: dict[str, Any] = {"ranking": [], "animal": None, "preset": None, "job": None, "images": []}
    with reported(report, terminal, as_json=as_json):
        library = read_library(settings.presets_dir, settings.prompts_dir)
        require_known(request, library)
        matches = rank(request.photo, library)
        report["ranking"] = [fact_of(match) for match in matches]
        show(terminal, matches)
        if not request.rank_only:
            make(terminal, request, webui_urls, report, library.animals.demonstrated)
    complete = "error" not in report and (request.rank_only or len(report["images"]) == request.count)
    return 0 if complete else 1


def require_known(request: AnimalRequest, library: Library) -> None:
    """Raise CannotStart for an animal or preset that is not there, naming those that are."""
    presets = [name for name, product in library.products.items() if product.spec.product == PRODUCT]
    for kind, name, known in (
        ("animal", request.animal, list(library.animals.animals)),
        ("animal preset", request.preset, presets),
    ):
        if name is not None and name not in known:
            raise CannotStart(f"there is no {kind} {name!r}; known are: {', '.join(known)}")


def rank(photo: Path, library: Library) -> tuple[AnimalMatch, ...]:
    """Every animal, the one most like the face in the photo first. Raises JobFailed for a photo that cannot be used."""
    try:
        with FaceProcess() as faces:
            seen = look_at(decode(photo.read_bytes(), photo.name).jpeg, faces)
    except (StudioError, BadPicture) as error:
        code = error.code.value if isinstance(error, BadPicture) else error.code
        raise JobFailed(str(error), code) from error
    return ranked(seen.traits, library.animals)


def fact_of(match: AnimalMatch) -> dict[str, Any]:
    """A match as the report tells it, in both languages."""
    return {
        "animal": match.animal,
        "title": match.title.model_dump(),
        "nearness": round(match.nearness, 3),
        "reasons": [reason.model_dump() for reason in match.reasons],
        "demonstrated": match.demonstrated,
    }


def show(terminal: Terminal, matches: Sequence[AnimalMatch]) -> None:
    """The nearest animals with their reasons, in English and Korean."""
    for match in matches[:SHOWN]:
        for language in ("en", "ko"):
            reasons = ", ".join(reason.in_language(language) for reason in match.reasons)
            number = f"{match.nearness:.2f}" if language == "en" else "    "
            terminal.say(f"{number}  {reasons}: {match.title.in_language(language)}")


def make(
    terminal: Terminal,
    request: AnimalRequest,
    webui_urls: tuple[str, ...],
    report: dict[str, Any],
    demonstrated: Sequence[str],
) -> None:
    """Order the pictures in a studio, follow the job, and write what it made. Raises CommandError.

    demonstrated: the animals that the demonstration model has learnt to draw.
    """
    from command_line.feasibility import feasible_preset
    from command_line.portrait import save_image
    from command_line.session import studio_session
    from command_line.train import raise_if_failed

    with studio_session(webui_urls, terminal.say) as session:
        preset = request.preset or first_feasible(session, terminal)
        feasible_preset(session.api, preset, None)
        request.out.mkdir(parents=True, exist_ok=True)
        job = order(session, terminal, request, preset)
        report.update(preset=preset, job=job["id"], animal=job["options"]["animal"])
        for image in job["images"]:
            saved = save_image(session, image, request.out)
            report["images"].append(
                saved | {"landmarks": compare(session, terminal, image, Path(saved["path"]))}
            )
        if job["demonstration"]:
            terminal.say(DEMONSTRATION_LINE.format(animals=", ".join(demonstrated)))
        raise_if_failed(job, "the job")


def first_feasible(session: Session, terminal: Terminal) -> str:
    """The first animal preset that a server can make; what the ones before it lack is said."""
    presets = [one for one in session.api.items("/presets") if one["product"] == PRODUCT]
    if not presets:
        raise CannotStart("there is no preset that makes animals in SAJIN_PRESETS_DIR")
    for preset in presets:
        if preset["available"]:
            return str(preset["name"])
        lacks = " ".join(f"{part['server']}: {part['message']}" for part in preset["missing"])
        terminal.say(f"{preset['name']} is not possible here. {lacks}")
    return str(presets[0]["name"])


def order(session: Session, terminal: Terminal, request: AnimalRequest, preset: str) -> dict[str, Any]:
    """Send the photo, order the job, and return its last state."""
    terminal.say(CONSENT_LINE)
    photo = session.api.upload("/face-photos", "picture", [request.photo], {"consent": "true"})
    options = {"seed": request.seed, "photo": photo["id"], "animal": request.animal}
    body = {"preset": preset, "count": request.count, "options": options}
    job = session.api.post("/jobs", body, {"Idempotency-Key": uuid.uuid4().hex})
    terminal.say(f"{preset}: {job['options']['animal']}")
    with terminal.bar("animal") as look:
        return session.follow(f"/jobs/{job['id']}", look)


def compare(session: Session, terminal: Terminal, image: dict[str, Any], path: Path) -> dict[str, Any]:
    """Write the landmarks of photo and picture over the picture, and say how far apart they are."""
    landmarks = session.api.get(f"/images/{image['id']}/landmarks")
    drawn = path.with_suffix(".landmarks.jpg")
    session.api.download(landmarks["url"], drawn)
    terminal.say(f"{path}  {landmarks['message']} ({drawn.name})")
    return {"path": str(drawn), **{key: landmarks[key] for key in ("found", "in_place", "in_shape")}}

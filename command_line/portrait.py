"""`sajin portrait`: the whole job in the terminal, from a folder of photos to a folder of portraits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.errors import JobFailed
from command_line.feasibility import feasible_preset
from command_line.report import reported
from command_line.session import Session, picture_files, studio_session
from command_line.terminal import Terminal
from command_line.train import TrainRequest, add_subject, learn, raise_if_failed

ANIMATED = "animated"
DEMONSTRATION_LINE = (
    "These pictures come from Sajin's own small demonstration model: it shows that everything works, not a true "
    "likeness. Connect a real one: sajin portrait --webui http://host:7860 …"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitRequest:
    """What is to be made. photos: a folder. seed: None draws one. out: folder for the pictures.

    pose: id of a pose picture to follow, None for none. reference: a picture file to take after, None for one that is
    made; for presets that take one. tone: name of a film look, None for the preset's own. steps: of the training; None
    leaves them to the trainer. likeness_bar: only pictures from this likeness on are delivered; likeness_budget: how
    many may be made for that. format: of animations beside the animated PNG, None for that alone. budget_kb: most 1000
    bytes of a GIF.
    """

    photos: Path
    preset: str
    count: int
    seed: int | None
    out: Path
    class_noun: str
    pose: str | None = None
    reference: Path | None = None
    tone: str | None = None
    steps: int | None = None
    likeness_bar: float | None = None
    likeness_budget: int | None = None
    format: str | None = None
    budget_kb: int | None = None


def run(request: PortraitRequest, webui_urls: tuple[str, ...], *, as_json: bool) -> int:
    """Do the whole job and return the exit status: 0 only if every picture asked for exists.

    With as_json the last line of standard output is one JSON object, also when the job failed ("error").
    """
    terminal = Terminal()
    report: dict[str, Any] = {"job": None, "adapter": None, "images": [], "seconds": 0.0, "server": None}
    with reported(report, terminal, as_json=as_json), studio_session(webui_urls, terminal.say) as session:
        _make(session, terminal, request, report)
    return 0 if _is_complete(report, request.count) else 1


def _make(session: Session, terminal: Terminal, request: PortraitRequest, report: dict[str, Any]) -> None:
    preset = feasible_preset(session.api, request.preset, request.pose, request.tone)
    if request.format is not None and preset["product"] != ANIMATED:
        raise JobFailed(f"the preset {request.preset} makes no animation; leave out --format", "no_animation")
    if request.reference is not None and "reference" not in {option["key"] for option in preset["options"]}:
        raise JobFailed(f"the preset {request.preset} takes no reference", "invalid_request")
    request.out.mkdir(parents=True, exist_ok=True)
    name = request.photos.resolve().name
    train = TrainRequest(photos=request.photos, name=name, class_noun=request.class_noun)
    subject = add_subject(session, terminal, train, one_is_enough=preset["identity"] == "instant")
    if preset["identity"] == "lora":
        report["adapter"] = learn(session, terminal, subject["id"], {"steps": request.steps})["adapter"][
            "name"
        ]
    photo = _face_photo(session, request, subject["id"]) if takes_photo(preset) else None
    job = _order(session, terminal, request, subject["id"], photo)
    report.update(job=job["id"], server=_server(job))
    report["images"] = [
        save_image(session, image, request.out) | _animation(session, image, request)
        for image in job["images"]
    ]
    _show(terminal, job, report["images"])
    if job["promise"]:
        report["promise"] = _told_promise(session, terminal, request, job["promise"])
    raise_if_failed(job, "the job")


def takes_photo(preset: dict[str, Any]) -> bool:
    """Whether a preset works from a face photo that has to be sent for it; an instant one takes the person's best."""
    return preset["identity"] != "instant" and any(option["key"] == "photo" for option in preset["options"])


def _face_photo(session: Session, request: PortraitRequest, subject_id: str) -> str:
    """Send the first photo for a preset that works from one; its id."""
    first = picture_files(request.photos)[0]
    kept = session.api.upload("/face-photos", "picture", [first], {"consent": "true", "subject": subject_id})
    return str(kept["id"])


def _reference(session: Session, request: PortraitRequest) -> str | None:
    """Send the picture to take after, if one is given; its id."""
    if request.reference is None:
        return None
    return str(session.api.upload("/poses", "picture", [request.reference], {})["id"])


def _order(
    session: Session, terminal: Terminal, request: PortraitRequest, subject_id: str, photo: str | None
) -> dict[str, Any]:
    body = {
        "preset": request.preset,
        "subject": subject_id,
        "count": request.count,
        "options": {
            "seed": request.seed,
            "pose": request.pose,
            "tone": request.tone,
            "photo": photo,
            "reference": _reference(session, request),
            "likeness_bar": request.likeness_bar,
            "likeness_budget": request.likeness_budget,
        },
    }
    job = session.api.post("/jobs", body, {"Idempotency-Key": uuid.uuid4().hex})
    with terminal.bar("portraits") as look:
        return session.follow(f"/jobs/{job['id']}", look)


def _server(job: dict[str, Any]) -> dict[str, str] | None:
    server = job["server"]
    return {"flavour": server["flavour"], "version": server["version"]} if server else None


def save_image(session: Session, image: dict[str, Any], out: Path) -> dict[str, Any]:
    """Fetch an image and its stages; the entry for the report."""
    stem = f"{image['preset']}-{image['seed']}"
    path = out / f"{stem}.png"
    session.api.download(image["url"], path)
    stages = []
    for stage in image["stages"]:
        target = out / f"{stem}.{stage['name']}.png"
        session.api.download(stage["url"], target)
        stages.append({"name": stage["name"], "path": str(target), "seconds": round(stage["seconds"], 3)})
    facts = {key: image[key] for key in ("seed", "likeness", "width", "height")}
    return {"path": str(path), **facts, "stages": stages}


def _animation(session: Session, image: dict[str, Any], request: PortraitRequest) -> dict[str, Any]:
    """Fetch an animation in the format asked for; what is added to the report."""
    animation = image["animation"]
    if animation is None:
        return {}
    facts: dict[str, Any] = {
        key: animation[key]
        for key in ("frames", "fps", "repaired", "flicker", "seam", "flicker_text", "seam_text")
    }
    if request.format is not None:
        path = request.out / f"{image['preset']}-{image['seed']}.{request.format}"
        budget = "" if request.budget_kb is None else f"?budget_kb={request.budget_kb}"
        session.api.download(f"{animation['url']}/{request.format}{budget}", path)
        facts |= {"path": str(path), "bytes": path.stat().st_size}
    return {"animation": facts}


def _show(terminal: Terminal, job: dict[str, Any], saved: list[dict[str, Any]]) -> None:
    for image, entry in zip(job["images"], saved, strict=True):
        likeness = "" if image["likeness"] is None else f"  {image['likeness_text']}, {image['likeness']:.2f}"
        terminal.say(f"{entry['path']}  {entry['width']} × {entry['height']}{likeness}")
        if moving := entry.get("animation"):
            file = f"{moving['path']}  {moving['bytes'] / 1000:.0f} KB  " if "path" in moving else ""
            terminal.say(f"{file}{moving['flicker_text']} {moving['seam_text']}")
    if job["demonstration"]:
        terminal.say(DEMONSTRATION_LINE)


def _told_promise(
    session: Session, terminal: Terminal, request: PortraitRequest, promise: dict[str, Any]
) -> dict[str, Any]:
    """Say how the likeness promise was kept, and fetch what came nearest where it was not; the entry for the report."""
    terminal.say(promise["message"])
    entry = {key: promise[key] for key in ("bar", "made", "reached", "nearest")}
    if promise["nearest"] is None or promise["reached"] >= request.count:
        return entry
    path = request.out / f"{request.preset}-nearest.png"
    session.api.download(promise["nearest_url"], path)
    terminal.say(f"{path} came nearest; it is not delivered")
    return entry | {"nearest_path": str(path)}


def _is_complete(report: dict[str, Any], count: int) -> bool:
    images = report["images"]
    return len(images) == count and all(Path(image["path"]).is_file() for image in images)

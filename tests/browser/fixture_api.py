"""A small API with set scenes, for looking at states that are hard to catch in the real one.

It speaks the JSON of docs/api.md. Pictures are cuttings of one real photograph, so that the pages look as in use.
The way through the pages is proved against the real API and engine in test_whole_way.py, never against this one.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import flask
from PIL import Image
from skimage import data
from werkzeug.serving import make_server

Json = dict[str, Any]
NOW = "2026-11-21T09:12:00+00:00"
CAPTION = "head and shoulders, facing the camera, smiling, wearing orange clothes, light grey background"
STAGES = ("skeleton", "tone", "upscale")
TONES = [{"name": "pastel", "title": "Airy pastel", "description": "Light, airy, pale colours."}]


@dataclass
class Scene:
    """What the API says; a test sets it before it looks."""

    subjects: list[Json] = field(default_factory=list)
    photos: list[Json] = field(default_factory=list)
    jobs: list[Json] = field(default_factory=list)
    servers: list[Json] = field(default_factory=list)
    running: list[Json] = field(default_factory=list)
    can_learn: bool = True
    trainers: tuple[str, ...] = ("embedded",)
    trainings_asked: list[Json] = field(default_factory=list)
    products: list[Json] = field(default_factory=list)

    def images(self) -> list[Json]:
        """All pictures of all jobs."""
        return [image for job in self.jobs for image in job["images"]]


def verdict(fit: int) -> Json:
    """The sentence about a set with so many fit photos."""
    enough = fit >= 3
    message = (
        f"{fit} good photos. That is enough to begin."
        if enough
        else f"{fit} good photos, {3 - fit} more to go."
    )
    return {
        "enough": enough,
        "fit": fit,
        "needed": 3,
        "code": "enough" if enough else "add_photos",
        "message": message,
    }


def told(usable: int) -> Json:
    """What the coach says of so many usable photos, all of them from the front."""
    kinds = {"front": usable, "left side": 0, "right side": 0}
    wanted = {"front": 4, "left side": 2, "right side": 2}
    return {
        "usable": usable,
        "recommended": 10,
        "sharp": usable,
        "message": "One more photo would help most: from the person's left side, with a calm face, beside a window.",
        "hints": [
            "Nearly all have the same background. A photo in another place keeps it from being learned."
        ],
        "wish": {"angle": "left", "expression": "neutral", "light": "side"},
        "coverage": [
            {
                "code": "angles",
                "title": "Angles",
                "kinds": [
                    {"code": title, "title": title, "count": count, "wanted": wanted[title]}
                    for title, count in kinds.items()
                ],
            }
        ],
        "strangers": [],
        "duplicates": [],
    }


def photo(number: int, status: str = "fit", message: str = "", remedy: str = "") -> Json:
    """A photo with its verdict."""
    base = f"/api/v1/subjects/s1/photos/p{number}"
    reasons = [{"code": "x", "message": message, "remedy": remedy}] if message else []
    return {
        "id": f"p{number}",
        "subject_id": "s1",
        "filename": f"IMG_20{number}.jpg",
        "width": 900,
        "height": 1200,
        "status": status,
        "reasons": reasons,
        "look": {"angle": "front", "expression": "smiling", "light": "even", "framing": "upper_body"},
        "caption": CAPTION,
        "own_caption": False,
        "url": f"{base}/file",
        "thumbnail_url": f"{base}/thumbnail",
        "created_at": NOW,
    }


def training(status: str, progress: float = 0.0, phase: str = "learning", error: Json | None = None) -> Json:
    """A training in some state."""
    return {
        "id": "t1",
        "subject_id": "s1",
        "trainer": "embedded",
        "status": status,
        "phase": phase,
        "progress": progress,
        "eta_seconds": 95.0 * (1 - progress),
        "step": int(300 * progress),
        "steps": 300,
        "error": error,
        "phase_text": "Learning",
        "adapter": adapter() if status == "succeeded" else None,
        "created_at": NOW,
        "finished_at": None,
        "demonstration": True,
    }


def promise() -> Json:
    """How a job stands of whose twelve candidates one reached the bar."""
    return {
        "bar": 0.7,
        "made": 12,
        "reached": 1,
        "nearest": 0.64,
        "nearest_url": "/api/v1/jobs/j1/nearest",
        "message": "1 of 2 pictures reach a likeness of 0.70. Made for it: 12. The best of the others has 0.64.",
    }


def adapter() -> Json:
    """A learned person."""
    return {
        "id": "a1",
        "name": "sajin-mina-a1",
        "trigger": "zqk",
        "checkpoint": "sajin-tiny",
        "created_at": NOW,
        "steps": 300,
        "seconds": 182.0,
        "weight": 0.7,
        "form": "lora",
        "notes": [],
        "demonstration": True,
    }


def report() -> Json:
    """The report card of a learned person: three candidates at one weight, the second one at two others."""
    marks = {"likeness": 0.52, "likeness_spread": 0.06, "diversity": 0.71, "obedience": 0.82, "leak": 0.08}
    tried = [(150, 0.85, 0.48), (225, 0.85, 0.61), (300, 0.85, 0.57), (225, 0.7, 0.64), (225, 1.0, 0.5)]
    return {
        "training_id": "t1",
        "subject_id": "s1",
        "steps": 225,
        "weight": 0.7,
        "measure": "colours",
        "summary": "New pictures use the best of what was tried: learned for 225 steps, with LoRA weight 0.7.",
        "marks": [
            {"code": code, "title": code.capitalize(), "value": marks[code], "text": "As it should be."}
            for code in ("likeness", "diversity", "obedience", "leak")
        ],
        "points": [
            marks
            | {"steps": steps, "weight": weight, "score": score, "chosen": (steps, weight) == (225, 0.7)}
            | {"pictures": [report_picture(f"{steps}-{weight}-{number}") for number in range(4)]}
            for steps, weight, score in tried
        ],
        "advice": {
            "code": "fewer_steps",
            "message": "It was best earlier, after 225 steps. So many are enough next time.",
            "data": {"steps": 225},
        },
        "failure": None,
    }


def report_picture(name: str) -> Json:
    """One validation picture."""
    return {
        "id": name,
        "url": f"/api/v1/subjects/s1/trainings/t1/report/pictures/{name}",
        "asked": "Asked for: red clothes, blue background",
        "likeness": 0.52,
        "obedience": 0.82,
        "leak": 0.08,
    }


def subject(state: str, fit: int, name: str = "Mina", run: Json | None = None) -> Json:
    """A person in some state."""
    return {
        "id": "s1",
        "name": name,
        "class_noun": "woman",
        "consent": {"given_at": NOW, "version": "1"},
        "state": state,
        "photos": {"total": fit, "fit": fit},
        "set": verdict(fit),
        "adapter": adapter() if state == "ready" else None,
        "training": run,
        "cover_url": "/api/v1/subjects/s1/photos/p1/thumbnail" if fit else None,
        "created_at": NOW,
    }


def image(number: int, likeness: float | None = 0.71, favourite: bool = False) -> Json:
    """A finished picture."""
    base = f"/api/v1/images/i{number}"
    return {
        "id": f"i{number}",
        "job_id": "j1",
        "subject_id": "s1",
        "preset": "studio-profile",
        "preset_title": "Studio profile",
        "seed": 1000 + number,
        "width": 512,
        "height": 768,
        "likeness": likeness,
        "likeness_measure": "face" if likeness else None,
        "likeness_text": "very like" if likeness else None,
        "animation": None,
        "url": f"{base}/file",
        "thumbnail_url": f"{base}/thumbnail",
        "recipe_url": f"{base}/recipe",
        "stages": [
            {
                "name": name,
                "use": "img2img",
                "url": f"{base}/stages/{name}",
                "seconds": 3.1,
                "width": 512,
                "height": 768,
            }
            for name in STAGES
        ],
        "described": None,
        "favourite": favourite,
        "demonstration": True,
        "alt": "Studio profile of Mina, grey background",
        "created_at": NOW,
    }


def job(status: str, images: int = 0, stage: str | None = None, progress: float = 0.0, **more: Any) -> Json:
    """A job in some state."""
    return {
        "id": "j1",
        "preset": "studio-profile",
        "preset_title": "Studio profile",
        "preset_version": "1a2b",
        "subject": "s1",
        "status": status,
        "stage": stage,
        "progress": progress,
        "eta_seconds": 41.0,
        "count": 2,
        "options": {"seed": None, "prompt": "", "negative_prompt": "", "pose": None, "stages": {}},
        "images": [image(number) for number in range(images)],
        "promise": None,
        "error": None,
        "server": {"url": "http://127.0.0.1:7859", "flavour": "sajin", "version": "0.1"},
        "demonstration": True,
        "redo": "none",
        "preview_url": "/api/v1/jobs/j1/preview" if status == "running" else None,
        "created_at": NOW,
        "started_at": NOW,
        "finished_at": None,
    } | more


def option(key: str, kind: str, default: object, stage: str | None, **more: Any) -> Json:
    """One setting of a look."""
    bounds: Json = {"minimum": None, "maximum": None, "choices": []}
    return {"key": key, "kind": kind, "default": default, "stage": stage} | bounds | more


def presets() -> list[Json]:
    """Three looks: one to learn for, one without a person, one that no server can make."""
    options = [
        option("seed", "integer", None, None),
        option("prompt", "text", "", None),
        option("pose", "picture", None, None),
    ]
    for name in STAGES:
        options += [
            option("steps", "integer", 30, name, minimum=1, maximum=150),
            option("denoising_strength", "number", 0.35, name, minimum=0, maximum=1),
            option("sampler", "choice", "DPM++ 2M", name, choices=["DPM++ 2M", "Euler a"]),
        ]
    base = {
        "version": "1a2b",
        "stages": [{"name": name, "use": "img2img", "title": name.title()} for name in STAGES],
        "options": options,
        "thumbnail_url": None,
        "available": True,
        "missing": [],
        "left_out": [],
        "product": "profile",
    }
    missing = [
        {"kind": "model", "name": "inswapper", "message": "No server has the face model this look needs."}
    ]
    return [
        base
        | {
            "name": "studio-profile",
            "title": "Studio profile",
            "identity": "lora",
            "description": "Soft light, plain background, three stages.",
        },
        base
        | {
            "name": "quick-portrait",
            "title": "Quick portrait",
            "identity": "none",
            "description": "One stage, nobody in particular.",
        },
        base
        | {
            "name": "id-photo",
            "title": "ID photo",
            "identity": "instant",
            "description": "White background.",
            "available": False,
            "missing": missing,
            "product": "id_photo",
        },
    ]


def product(name: str, reason: str | None = None) -> Json:
    """A product of the start page, and why it cannot be made."""
    return {
        "name": name,
        "title": name.title(),
        "description": "From a few photos of a person to finished portraits.",
        "thumbnail_url": f"/api/v1/products/{name}/thumbnail",
        "presets": ["studio-profile"],
        "available": reason is None,
        "reason": reason,
    }


def portrait(shift: int, width: int = 400, height: int = 600) -> bytes:
    """A JPEG cut out of skimage's astronaut portrait, a little different for each shift."""
    left, top = 100 + 8 * (shift % 5), 0 + 6 * (shift % 3)
    cut = Image.fromarray(data.astronaut()).crop((left, top, left + 220, top + 330)).resize((width, height))
    buffer = io.BytesIO()
    cut.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def create_app(scene: Scene) -> flask.Flask:
    """The API over a scene."""
    app = flask.Flask(__name__)
    api = flask.Blueprint("api", __name__, url_prefix="/api/v1")

    def listing(items: list[Json]) -> Json:
        return {"items": items, "next": None}

    def one(items: list[Json], wanted: str) -> flask.typing.ResponseReturnValue:
        found = next((item for item in items if item["id"] == wanted), None)
        return found or (
            flask.jsonify(status=404, code="not_found", title="Not found", detail="Not here."),
            404,
        )

    def status() -> Json:
        learn = {
            "available": scene.can_learn,
            "code": "ready",
            "checkpoint": "sajin-tiny",
            "message": "The server's checkpoint file is not known here.",
            "trainer": "embedded",
            "trainers": scene.trainers,
        }
        return {
            "running": scene.running,
            "demonstration": True,
            "connect_hint": "",
            "training": learn,
            "version": "0.1",
        }

    def start_training(_: str) -> tuple[Json, int]:
        scene.trainings_asked.append(flask.request.get_json())
        return training("queued"), 202

    def photos(_: str) -> Json:
        fit = sum(photo["status"] != "unfit" for photo in scene.photos)
        return {"items": scene.photos, "refused": [], "set": verdict(fit), "next": None}

    def caption(_: str, wanted: str) -> Json:
        changed = next(photo for photo in scene.photos if photo["id"] == wanted)
        changed["caption"] = flask.request.get_json()["caption"] or CAPTION
        return changed

    def coach(_: str) -> Json:
        return told(sum(photo["status"] != "unfit" for photo in scene.photos))

    def picture(path: str) -> flask.Response:
        return flask.Response(portrait(sum(map(ord, path))), mimetype="image/jpeg")

    api.add_url_rule("/status", view_func=status)
    api.add_url_rule("/subjects", "subjects", lambda: listing(scene.subjects))
    api.add_url_rule("/subjects/<wanted>", "subject", lambda wanted: one(scene.subjects, wanted))
    api.add_url_rule("/subjects/<_>/photos", view_func=photos)
    api.add_url_rule("/subjects/<_>/photos/<wanted>", view_func=caption, methods=["PATCH"])
    api.add_url_rule("/subjects/<_>/coach", view_func=coach)
    api.add_url_rule("/subjects/<_>/trainings", "trainings", lambda _: listing([training("succeeded", 1.0)]))
    api.add_url_rule("/subjects/<_>/trainings", view_func=start_training, methods=["POST"])
    api.add_url_rule("/subjects/<_>/trainings/<__>/report", "report", lambda _, __: report())
    api.add_url_rule("/presets", "presets", lambda: listing(presets()))
    api.add_url_rule(
        "/presets/<name>", "preset", lambda name: next(p for p in presets() if p["name"] == name)
    )
    poses = [
        {"id": f"pose{n}", "title": f"Pose {n}", "url": f"/api/v1/poses/pose{n}", "bundled": True}
        for n in range(4)
    ]
    api.add_url_rule("/poses", "poses", lambda: listing(poses))
    api.add_url_rule("/tones", "tones", lambda: listing(TONES))
    api.add_url_rule("/products", "products", lambda: listing(scene.products))
    api.add_url_rule("/jobs", "jobs", lambda: listing(scene.jobs))
    api.add_url_rule("/jobs/<wanted>", "job", lambda wanted: one(scene.jobs, wanted))
    api.add_url_rule("/images", "images", lambda: listing(scene.images()))
    api.add_url_rule("/images/<wanted>", "image", lambda wanted: one(scene.images(), wanted))
    recipe = {
        "preset": {"name": "studio-profile"},
        "seed": 1000,
        "stages": {"tone": {"denoising_strength": 0.35}},
    }
    api.add_url_rule("/images/<_>/recipe", "recipe", lambda _: recipe)
    api.add_url_rule("/servers", "servers", lambda: listing(scene.servers))
    api.add_url_rule("/<path:path>", "picture", picture)
    app.register_blueprint(api)
    return app


@contextmanager
def served(scene: Scene, port: int = 0) -> Iterator[str]:
    """Serve the scene on a free port (or port) and give its address."""
    server = make_server("127.0.0.1", port, create_app(scene), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

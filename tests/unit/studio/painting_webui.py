"""A real HTTP server that speaks a recorded A1111's listings and paints what txt2img and img2img ask for.

Its pictures are gradients with a true infotext; a test can have any call misbehave in the ways real servers do.
"""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from typing import Any

from PIL import Image, PngImagePlugin

from tests.replay import Asked, ReplayServer, Reply
from webui_client.infotext import compose
from webui_client.preflight import lora_names

TIMESTAMP = "20261120211858"
MODEL, MODEL_HASH = (
    "tiny-random-a",
    "5688aceb8f",
)  # the checkpoint that the recorded listings name as the loaded one
OTHER_MODEL = "tiny-random-b"  # listed too, never loaded and therefore without a hash

Misbehaviour = Callable[[Asked], Reply]


class PaintingWebui(ReplayServer):
    """misbehave: what to do instead, call by call; an empty list means all goes well.

    pause_seconds: how long a picture takes. loads: the checkpoints that had to be loaded for a picture, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.misbehave: list[Misbehaviour] = []
        self.pause_seconds = 0.0
        self.painted = 0
        self.loaded = MODEL
        self.loads: list[str] = []
        for path in ("/sdapi/v1/txt2img", "/sdapi/v1/img2img"):
            self.on("POST", path, self._make)

    def _make(self, asked: Asked) -> Reply:
        misbehaviour = self.misbehave.pop(0) if self.misbehave else None
        self.state["state"] |= {"interrupted": misbehaviour is is_interrupted, "job_timestamp": TIMESTAMP}
        if misbehaviour is not None:
            return misbehaviour(asked)
        self.active_task = asked.json["force_task_id"]
        if (wanted := model_of(asked.json)) != self.loaded:
            self.loads.append(wanted)
            self.loaded = wanted
        time.sleep(self.pause_seconds)
        self.active_task = None
        self.painted += 1
        return Reply(body=answer_to(asked.json))


def answer_to(body: dict[str, Any], **info: Any) -> dict[str, Any]:
    """The answer of a server that did everything it was asked."""
    width, height = result_size(body)
    text = infotext_of(body, width, height)
    told = {
        "seed": body["seed"],
        "all_seeds": [body["seed"]],
        "all_prompts": [body["prompt"]],
        "infotexts": [text],
        "sampler_name": body["sampler_name"],
        "width": width,
        "height": height,
        "steps": body["steps"],
        "cfg_scale": body["cfg_scale"],
        "sd_model_name": model_of(body),
        "sd_model_hash": hash_of(body),
        "extra_generation_params": _script_words(body),
        "index_of_first_image": 0,
        "version": "v1.10.1",
        "job_timestamp": TIMESTAMP,
    }
    return {
        "images": [
            painted(width, height, body["seed"] + round(100 * body.get("denoising_strength", 0)), text)
        ],
        "parameters": {},
        "info": json.dumps(told | info),
    }


def model_of(body: dict[str, Any]) -> str:
    """The checkpoint that a request runs on."""
    title = body.get("override_settings", {}).get("sd_model_checkpoint") or MODEL
    return str(title).split(".safetensors", maxsplit=1)[0]


def hash_of(body: dict[str, Any]) -> str | None:
    """Its hash, where the listing has one."""
    return MODEL_HASH if model_of(body) == MODEL else None


def result_size(body: dict[str, Any]) -> tuple[int, int]:
    """The size of the picture: the request's, or the initial picture's times the scale of "SD upscale"."""
    if body.get("script_name", "").lower() != "sd upscale":
        return body["width"], body["height"]
    with Image.open(io.BytesIO(base64.b64decode(body["init_images"][0]))) as initial:
        scale = body["script_args"][3]
        return int(initial.width * scale) // 8 * 8, int(initial.height * scale) // 8 * 8


def _script_words(body: dict[str, Any]) -> dict[str, Any]:
    if "script_args" not in body:
        return {}
    return {"SD upscale overlap": body["script_args"][1], "SD upscale upscaler": body["script_args"][2]}


def _lora_words(body: dict[str, Any]) -> dict[str, str]:
    """The LoRAs of the prompt, as if each had been there."""
    names = lora_names(body["prompt"])
    return {"Lora hashes": ", ".join(f"{name}: 0123456789ab" for name in names)} if names else {}


def infotext_of(body: dict[str, Any], width: int, height: int) -> str:
    """The parameters as A1111 writes them."""
    pairs = [
        ("Steps", body["steps"]),
        ("Sampler", body["sampler_name"]),
        ("Schedule type", body.get("scheduler") or "Automatic"),
        ("CFG scale", body["cfg_scale"]),
        ("Seed", body["seed"]),
        ("Size", f"{width}x{height}"),
        *([("Model hash", hash_of(body))] if hash_of(body) else []),
        ("Model", model_of(body)),
        *_script_words(body).items(),
        *_lora_words(body).items(),
    ]
    return compose(body["prompt"], body["negative_prompt"], pairs)


def painted(width: int, height: int, shade: int, text: str) -> str:
    """A base64 PNG whose colours depend on shade."""
    gradient = Image.linear_gradient("L").resize((width, height))
    picture = Image.merge(
        "RGB", (gradient, gradient.point(lambda value: (value + shade) % 256), gradient.rotate(90))
    )
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", text)
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=chunks)
    return base64.b64encode(out.getvalue()).decode()


def fails(asked: Asked) -> Reply:
    """Answer 500."""
    return Reply(500, {"error": "OutOfMemoryError", "detail": "", "body": "", "errors": "CUDA out of memory"})


def garbles(asked: Asked) -> Reply:
    """Answer 200 with what is no JSON."""
    return Reply(200, b"<html>all is well</html>")


def sends_half_a_picture(asked: Asked) -> Reply:
    """Answer with a picture that ends in the middle."""
    answer = answer_to(asked.json)
    whole = base64.b64decode(answer["images"][0])
    return Reply(body=answer | {"images": [base64.b64encode(whole[: len(whole) // 2]).decode()]})


def is_interrupted(asked: Asked) -> Reply:
    """Answer with what was painted when somebody at the server pressed "Interrupt"; only the server's state tells."""
    return Reply(body=answer_to(asked.json))


def sends_black(asked: Asked) -> Reply:
    """Answer with an all-black picture."""
    answer = answer_to(asked.json)
    out = io.BytesIO()
    Image.new("RGB", result_size(asked.json)).save(out, "PNG")
    return Reply(body=answer | {"images": [base64.b64encode(out.getvalue()).decode()]})


def substitutes_the_sampler(asked: Asked) -> Reply:
    """Answer with another sampler's picture, as A1111 does for one it does not know."""
    return Reply(body=answer_to(asked.json | {"sampler_name": "Euler"}, sampler_name="Euler"))


def hangs_up(asked: Asked) -> Reply:
    """Go away in the middle of the answer."""
    return Reply(200, b"{", headers=(("Content-Length", "1000"),))


def is_slow(asked: Asked) -> Reply:
    """Answer later than anybody waits."""
    time.sleep(1.2)
    return Reply(body=answer_to(asked.json))

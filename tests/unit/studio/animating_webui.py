"""A painting WebUI with the extension AnimateDiff, whose animations are a face that moves; it can misbehave too."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from tests.moving import Frames, as_png, swaying
from tests.replay import Asked, Reply
from tests.unit.studio.painting_webui import PaintingWebui, answer_to
from webui_client.infotext import render_pairs

SCRIPTS = "/sdapi/v1/scripts"
VERSION = "v2.0.1"
HASH = "0123abcd"


class AnimatingWebui(PaintingWebui):
    """misbehave: what to do instead of animating, request by request; none means all goes well."""

    def __init__(self) -> None:
        super().__init__()
        self.titles = list(self.routes["GET", SCRIPTS](Asked("GET", SCRIPTS, {}, None, {})).body["txt2img"])

    def has_animatediff(self, there: bool) -> None:
        """Have the extension, or have it not."""
        titles = [title for title in self.titles if there or title.lower() != "animatediff"]
        self.on("GET", SCRIPTS, Reply(body={"txt2img": titles, "img2img": titles}))

    def _make(self, asked: Asked) -> Reply:
        if "AnimateDiff" not in asked.json.get("alwayson_scripts", {}) or self.misbehave:
            return super()._make(asked)
        self.painted += 1
        return Reply(body=animated(asked.json))


def unit_of(body: dict[str, Any]) -> dict[str, Any]:
    """The one argument of AnimateDiff."""
    (unit,) = body["alwayson_scripts"]["AnimateDiff"]["args"]
    return dict(unit)


def animated(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The answer of a server that animated as asked. changes: of what it says and sends: kind, count, told, frames."""
    unit = unit_of(body)
    plain = answer_to(body)
    info = json.loads(plain["info"])
    keys = ("model", "video_length", "fps", "loop_number", "closed_loop", "batch_size", "stride", "overlap")
    told = render_pairs((key, str(unit[key])) for key in keys) + f", mm_hash: {HASH}, version: {VERSION}"
    info["extra_generation_params"] |= changes.get("told", {"AnimateDiff": told})
    frames = changes.get("frames", played(body))
    text = f"{info['infotexts'][0]}, AnimateDiff: {json.dumps(told)}"
    info["infotexts"] = [text] * len(frames)
    file = written(frames, changes.get("kind", "GIF"), unit["fps"])
    return plain | {"images": [file, *(framed(frame, text) for frame in frames)], "info": json.dumps(info)}


def played(body: dict[str, Any]) -> Frames:
    """The frames that are asked for, played back in reverse where the loop is closed so."""
    unit = unit_of(body)
    small = swaying(unit["video_length"], 192, turns=0.25)
    frames = np.stack(
        [
            np.asarray(
                Image.fromarray(frame).resize((body["width"], body["height"]), Image.Resampling.BILINEAR)
            )
            for frame in small
        ]
    )
    return np.concatenate([frames, frames[-2:0:-1]]) if unit["closed_loop"] == "A" else frames


def written(frames: Frames, kind: str, fps: int) -> str:
    """A base64 file of frames: GIF or WEBP by Pillow; for MP4 the first bytes of one, all that is looked at."""
    if kind == "MP4":
        return base64.b64encode(b"\x00\x00\x00\x20ftypisom" + bytes(64)).decode()
    first, *rest = (Image.fromarray(frame) for frame in frames)
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=rest, duration=1000 // fps, loop=0)
    return base64.b64encode(out.getvalue()).decode()


def framed(frame: Frames, text: str) -> str:
    """A base64 PNG with an infotext."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", text)
    return base64.b64encode(as_png(frame, pnginfo=chunks)).decode()


def sends_stills(asked: Asked) -> Reply:
    """Answer 200 with what was painted when the script failed: still pictures, and not a word of AnimateDiff."""
    return Reply(body=answer_to(asked.json))


def sends_video(asked: Asked) -> Reply:
    """Answer with an MP4 where a GIF was asked for."""
    return Reply(body=animated(asked.json, kind="MP4"))


def loses_frames(asked: Asked) -> Reply:
    """Answer with fewer frames than were asked for."""
    return Reply(body=animated(asked.json, frames=played(asked.json)[:-2]))


def stands_still(asked: Asked) -> Reply:
    """Answer with a GIF in which nothing moves."""
    frames = played(asked.json)
    return Reply(body=animated(asked.json, frames=np.stack([frames[0]] * len(frames))))


def says_nothing(asked: Asked) -> Reply:
    """Answer with an animation whose infotext tells nothing of AnimateDiff."""
    answer = animated(asked.json, told={})
    info = json.loads(answer["info"])
    info["infotexts"] = [text.rpartition(", AnimateDiff: ")[0] for text in info["infotexts"]]
    return Reply(body=answer | {"info": json.dumps(info)})


def has_another_module(asked: Asked) -> Reply:
    """Answer with an animation by another motion module than the one asked for."""
    return Reply(body=animated(asked.json, told={"AnimateDiff": {"model": "other.ckpt", "video_length": 8}}))

"""A WebUI with EasyPhoto that behaves as the contract notes record: 200 whatever happens, no progress, no stopping."""

from __future__ import annotations

import base64
import io
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save

from tests.replay import Asked, ReplayServer, Reply
from webui_client.easyphoto import COMPLETED, PATH

CHECKPOINT = "tiny-random-a"


@dataclass
class EasyPhotoServer:
    """What the extension does next. loras: the server's LoRA folder.

    says: the answer instead of success. writes: whether the LoRA is put into the folder. cuts: it is cut off.
    breaks: the connection ends without an answer, although the training goes on. open: trainings wait until it is set.
    """

    webui: ReplayServer
    loras: Path
    says: str | None = None
    writes: bool = True
    cuts: bool = False
    breaks: bool = False
    broken_weights: bool = False
    app_id: int = 1
    open: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open.set()
        self.webui.on("GET", PATH, Reply(405, {"detail": "Method Not Allowed"}))
        self.webui.on("POST", PATH, self._train)
        self.webui.on("GET", "/app_id", lambda asked: Reply(body={"app_id": self.app_id}))
        self.webui.on("GET", "/sdapi/v1/loras", self._listing)
        self.webui.on("POST", "/sdapi/v1/refresh-loras", Reply(body=None))

    def bodies(self) -> list[dict[str, Any]]:
        """What was asked for, in order."""
        return [asked.json for asked in self.webui.calls(PATH) if asked.method == "POST"]

    def pictures(self) -> list[Image.Image]:
        """The photos of the last request."""
        return [
            Image.open(io.BytesIO(base64.b64decode(text))) for text in self.bodies()[-1]["instance_images"]
        ]

    def _train(self, asked: Asked) -> Reply:
        self.asked.set()
        self.open.wait(30)
        message = self.says or self._refusal(asked.json) or self._learned(asked.json["user_id"])
        self.done.set()
        if self.breaks:
            return Reply(body=b"{", headers=(("Content-Length", "100"),))
        return Reply(body={"message": message})

    def _refusal(self, body: dict[str, Any]) -> str | None:
        if (self.loras / f"{body['user_id']}.safetensors").exists():
            return "User id non-repeatability."
        return None if body.get("instance_images") else "Please upload training photos."

    def _learned(self, user_id: str) -> str:
        if self.writes:
            content = lora_bytes(broken=self.broken_weights)
            path = self.loras / f"{user_id}.safetensors"
            path.write_bytes(content[: len(content) // 2] if self.cuts else content)
        return COMPLETED

    def _listing(self, asked: Asked) -> Reply:
        listed = [{"name": path.stem, "alias": path.stem, "path": str(path)} for path in self.loras.iterdir()]
        return Reply(body=listed)


def lora_bytes(*, broken: bool = False) -> bytes:
    """A small LoRA in kohya's layout, with metadata that tells of a folder."""
    weight = np.full((2, 4), np.nan if broken else 0.25, np.float16)
    tensors = {"lora_unet_a.lora_down.weight": weight, "lora_unet_a.lora_up.weight": weight.T.copy()}
    return save(
        tensors, metadata={"ss_network_dim": "2", "ss_dataset_dirs": '{"easyphoto-user-id-infos": 3}'}
    )

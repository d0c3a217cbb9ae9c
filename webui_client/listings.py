"""The small calls of a WebUI: listings, options, control, and what extensions offer beside generation."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from webui_client.answers import mapping_of, number_of, read_picture, read_png_info, strings_of
from webui_client.capabilities import Checkpoint, Lora, Sampler, Scheduler, Upscaler, Vae
from webui_client.errors import BadAnswer, FeatureDidNotRun
from webui_client.pictures import Picture
from webui_client.probe import core_options, listing
from webui_client.progress import read_progress
from webui_client.transport import Transport
from webui_client.units.controlnet import encode
from webui_client.values import PngInfo, Progress

Interrogator = Literal["clip", "deepdanbooru"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripts:
    """The titles of the server's scripts, lower case."""

    txt2img: tuple[str, ...]
    img2img: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes of main memory and of the GPU's; None where the server does not tell."""

    ram_free: float | None
    ram_total: float | None
    gpu_free: float | None
    gpu_total: float | None


class Listings:
    """Every call of a WebUI that makes no picture by diffusion."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def options(self) -> Mapping[str, Any]:
        """Return all settings of the server."""
        return core_options(self._transport)

    def set_options(self, changes: Mapping[str, Any]) -> None:
        """Change settings for good. An unknown key or checkpoint is ServerFailed; a wrong type is not
        noticed.
        """
        self._transport.post("/sdapi/v1/options", dict(changes))

    def models(self) -> tuple[Checkpoint, ...]:
        """Return the checkpoints."""
        return listing(self._transport, "/sdapi/v1/sd-models", Checkpoint)

    def vaes(self) -> tuple[Vae, ...]:
        """Return the VAE files; a server without that listing (Forge has another one) has none."""
        return listing(self._transport, "/sdapi/v1/sd-vae", Vae)

    def samplers(self) -> tuple[Sampler, ...]:
        """Return the samplers."""
        return listing(self._transport, "/sdapi/v1/samplers", Sampler)

    def schedulers(self) -> tuple[Scheduler, ...]:
        """Return the schedulers."""
        return listing(self._transport, "/sdapi/v1/schedulers", Scheduler)

    def upscalers(self) -> tuple[Upscaler, ...]:
        """Return the upscalers, in the order whose index scripts want."""
        return listing(self._transport, "/sdapi/v1/upscalers", Upscaler)

    def loras(self) -> tuple[Lora, ...]:
        """Return the LoRAs."""
        return listing(self._transport, "/sdapi/v1/loras", Lora)

    def refresh_loras(self) -> None:
        """Have the server look at its LoRA folder again."""
        self._transport.post("/sdapi/v1/refresh-loras")

    def refresh_checkpoints(self) -> None:
        """Have the server look at its checkpoint folder again; waits behind a running job."""
        self._transport.post("/sdapi/v1/refresh-checkpoints")

    def embeddings(self) -> tuple[str, ...]:
        """Return the names of the textual-inversion embeddings that fit the loaded checkpoint."""
        return strings_of(self._mapping("/sdapi/v1/embeddings").get("loaded"))

    def all_embeddings(self) -> tuple[str, ...]:
        """Return the names of the embeddings that the server has, those for other checkpoints too."""
        told = self._mapping("/sdapi/v1/embeddings")
        return strings_of(told.get("loaded")) + strings_of(told.get("skipped"))

    def refresh_embeddings(self) -> None:
        """Have the server look at its embeddings folder again; waits behind a running job."""
        self._transport.post("/sdapi/v1/refresh-embeddings")

    def scripts(self) -> Scripts:
        """Return the titles of the server's scripts."""
        titles = self._mapping("/sdapi/v1/scripts")
        return Scripts(txt2img=strings_of(titles.get("txt2img")), img2img=strings_of(titles.get("img2img")))

    def script_info(self) -> Sequence[Mapping[str, Any]]:
        """Return each script's arguments as the server describes them (labels where indices are wanted)."""
        infos = self._transport.get("/sdapi/v1/script-info")
        if not isinstance(infos, list):
            raise BadAnswer(self._transport.url, "/sdapi/v1/script-info", "it is no list")
        return [info for info in infos if isinstance(info, dict)]

    def memory(self) -> Memory:
        """Return how much memory the server has left."""
        told = self._mapping("/sdapi/v1/memory")
        ram = mapping_of(told.get("ram"))
        system = mapping_of(mapping_of(told.get("cuda")).get("system"))
        return Memory(
            ram_free=number_of(ram.get("free")) or None,
            ram_total=number_of(ram.get("total")) or None,
            gpu_free=number_of(system.get("free")) or None,
            gpu_total=number_of(system.get("total")) or None,
        )

    def progress(self, task_id: str | None = None) -> Progress:
        """Return how far a task of ours is, or, without task_id or where ids are unknown, whatever runs
        now.
        """
        task = self._task_progress(task_id) if task_id else None
        whole = self._mapping("/sdapi/v1/progress", {"skip_current_image": str(task is not None).lower()})
        return read_progress(task, whole)

    def interrupt(self) -> None:
        """Stop whatever the server runs now, whoever's it is; idle, it does nothing."""
        self._transport.post("/sdapi/v1/interrupt", {})

    def stop(self, task_id: str) -> bool:
        """Interrupt a task of ours if it is the one that the server runs now; whether it was.

        Where the server knows no task ids nothing is done: what runs there could be anybody's.
        """
        task = self._task_progress(task_id)
        if task is None or not task.get("active"):
            return False
        self.interrupt()
        return True

    def app_id(self) -> int | None:
        """Return a number that stays the same until the server is started anew, None where it has none."""
        told = mapping_of(self._transport.find("/app_id")).get("app_id")
        return told if isinstance(told, int) else None

    def skip(self) -> None:
        """Abandon the batch that the server works on now, whoever's it is."""
        self._transport.post("/sdapi/v1/skip", {})

    def png_info(self, picture: bytes) -> PngInfo:
        """Return what the server reads in a PNG, which must be sent as it is: its text is in its bytes."""
        path = "/sdapi/v1/png-info"
        return read_png_info(
            self._transport.post(path, {"image": base64.b64encode(picture).decode("ascii")}),
            self._transport.url,
            path,
        )

    def interrogate(self, picture: bytes, *, model: Interrogator = "clip") -> str:
        """Return the server's caption of a picture: a sentence by "clip", tags by "deepdanbooru".

        Raises RequestRefused (404) for a model the server does not know, FeatureDidNotRun if it failed there, which
        A1111 answers with 200 and the caption "<error>", or had nothing to say.
        """
        path = "/sdapi/v1/interrogate"
        answer = self._transport.post_once(path, {"image": encode(picture), "model": model})
        caption = answer.get("caption") if isinstance(answer, dict) else None
        if not isinstance(caption, str):
            raise BadAnswer(self._transport.url, path, "it has no caption")
        if "<error>" in caption or not caption.strip():
            raise FeatureDidNotRun(self._transport.url, f"interrogate by {model}", f"it answered {caption!r}")
        return caption

    def controlnet_models(self) -> tuple[str, ...]:
        """Return the ControlNets as listed, hash included; the server looks at its folder again."""
        listed = self._mapping("/controlnet/model_list", {"update": "true"}).get("model_list")
        return tuple(name for name in strings_of(listed) if name != "None")

    def controlnet_modules(self) -> tuple[str, ...]:
        """Return the ControlNet preprocessors."""
        return strings_of(self._mapping("/controlnet/module_list").get("module_list"))

    def controlnet_detect(
        self,
        picture: bytes,
        module: str,
        *,
        resolution: int = 512,
        threshold_a: float = -1,
        threshold_b: float = -1,
    ) -> Picture:
        """Return the map that a preprocessor draws of picture. The server answers nothing else meanwhile.

        resolution: pixels of the map's short side. Thresholds of -1 are the preprocessor's own.
        """
        path = "/controlnet/detect"
        body = {
            "controlnet_module": module,
            "controlnet_input_images": [encode(picture)],
            "controlnet_processor_res": resolution,
            "controlnet_threshold_a": threshold_a,
            "controlnet_threshold_b": threshold_b,
        }
        answer = self._transport.post_once(path, body)
        images = answer.get("images") if isinstance(answer, dict) else None
        if not isinstance(images, list) or not images:
            raise FeatureDidNotRun(self._transport.url, f"the preprocessor {module}", "no map came back")
        return read_picture(images[0], self._transport.url, path, "its map")

    def adetailer_models(self) -> tuple[str, ...]:
        """Return ADetailer's detectors."""
        return strings_of(self._mapping("/adetailer/v1/ad_model").get("ad_model"))

    def _task_progress(self, task_id: str) -> Mapping[str, Any] | None:
        if self._transport.find("/internal/ping") is None:
            return None
        question = {"id_task": task_id, "id_live_preview": -1, "live_preview": True}
        answer = self._transport.post("/internal/progress", question)
        return answer if isinstance(answer, dict) else None

    def _mapping(self, path: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        answer = self._transport.get(path, params=params)
        if not isinstance(answer, dict):
            raise BadAnswer(self._transport.url, path, "it is no object")
        return answer

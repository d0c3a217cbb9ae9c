"""The client of one WebUI server: make pictures, and know that they are what was asked for."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from webui_client import easyphoto
from webui_client.answers import read_animated, read_generation, read_picture
from webui_client.capabilities import Capabilities
from webui_client.easyphoto import EasyPhotoTraining
from webui_client.errors import BadAnswer, Interrupted, MissingCapability, ServerTimeout, WebuiError
from webui_client.interrupts import check_uninterrupted
from webui_client.listings import Interrogator, Listings
from webui_client.options import kept_options
from webui_client.pictures import Picture
from webui_client.postflight import (
    Answer,
    check,
    check_animation,
    check_extras,
    check_extras_batch,
    check_face_swap,
)
from webui_client.preflight import Resolved, resolve, resolve_animation
from webui_client.preflight import check_extras as extras_can_run
from webui_client.preflight import check_face_swap as face_swap_can_run
from webui_client.probe import probe
from webui_client.transport import Transport
from webui_client.units.animatediff import Animation
from webui_client.units.controlnet import encode
from webui_client.units.faceswap import swap_path, swapped_in
from webui_client.values import (
    Animate,
    Animated,
    Extras,
    ExtrasBatch,
    FaceSwap,
    Generation,
    GenerationInfo,
    Img2Img,
    Progress,
    Timeouts,
    Txt2Img,
)
from webui_client.watch import RunWatch, is_idle, look_after
from webui_client.wire import (
    animate_body,
    extras_batch_body,
    extras_body,
    face_swap_body,
    img2img_body,
    txt2img_body,
)

OnProgress = Callable[[Progress], None]
Found = TypeVar("Found")
WantsPreview = Callable[[], bool]
Cancelled = Callable[[], bool]
Files = tuple[Animation | None, ...]
Frames = tuple[Picture, ...]
TXT2IMG, IMG2IMG = "/sdapi/v1/txt2img", "/sdapi/v1/img2img"
RECORD_SECONDS = 60.0
READY_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Follow:
    """Who is told of a run, and asked about it, while it lasts."""

    on_progress: OnProgress | None
    wants_preview: WantsPreview | None
    cancelled: Cancelled | None


class WebuiClient(Listings):
    """One WebUI server.

    url: its root, for example http://127.0.0.1:7860, with any subpath. auth: name and password of --api-auth.
    One generation at a time (a second waits here, not in the server's queue); all else may be called beside
    it, from any thread. Every method raises the errors of :mod:`webui_client.errors` and no others, except
    for ValueError on a url that is none and BadPicture on a picture of the caller's that cannot be read.
    """

    def __init__(
        self, url: str, *, auth: tuple[str, str] | None = None, timeouts: Timeouts | None = None
    ) -> None:
        super().__init__(Transport(url, auth, timeouts or Timeouts()))
        self._record: Capabilities | None = None
        self._record_taken = 0.0
        self._version: str | None = None
        self._in_flight = threading.Lock()

    @property
    def url(self) -> str:
        """The server's root, as it is named in errors."""
        return self._transport.url

    def probe(self) -> Capabilities:
        """Read the server's capability record anew."""
        self._record = probe(self._transport, known_version=self._version)
        self._version = self._record.version
        self._record_taken = time.monotonic()
        return self._record

    def capabilities(self, *, max_age_seconds: float = RECORD_SECONDS) -> Capabilities:
        """Return the capability record, probing if it is older than max_age_seconds."""
        if self._record is None or time.monotonic() - self._record_taken > max_age_seconds:
            return self.probe()
        return self._record

    def wait_until_ready(self, seconds: float) -> Capabilities:
        """Probe once a second until the server answers as a whole; raise the last error after seconds.

        Not more often: a burst of requests while it starts has crashed A1111.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.probe()
            except WebuiError:
                if time.monotonic() + READY_POLL_SECONDS > deadline:
                    raise
                time.sleep(READY_POLL_SECONDS)

    def txt2img(
        self,
        request: Txt2Img,
        *,
        task_id: str | None = None,
        on_progress: OnProgress | None = None,
        wants_preview: WantsPreview | None = None,
        cancelled: Cancelled | None = None,
    ) -> Generation:
        """Make pictures from text.

        task_id: ours, for progress; made up if None. wants_preview: whether the progress shall bring a preview,
        which costs the server time; None for always. It, on_progress and cancelled are called from a second
        thread every ``timeouts.poll`` seconds. Returns only pictures that are proven to be what was asked for;
        raises MissingCapability before anything runs, FeatureDidNotRun after, Interrupted if the run was stopped.
        """
        server, names = self._resolved(partial(resolve, request))
        body = txt2img_body(request, names, server, task_id or new_task_id())
        follow = _Follow(on_progress, wants_preview, cancelled)
        return self._generate(TXT2IMG, request, names, server, body, follow)

    def img2img(
        self,
        request: Img2Img,
        *,
        task_id: str | None = None,
        on_progress: OnProgress | None = None,
        wants_preview: WantsPreview | None = None,
        cancelled: Cancelled | None = None,
    ) -> Generation:
        """Make pictures from pictures; everything else as :meth:`txt2img`. Raises BadPicture for unreadable
        ones.
        """
        server, names = self._resolved(partial(resolve, request))
        body = img2img_body(request, names, server, task_id or new_task_id())
        follow = _Follow(on_progress, wants_preview, cancelled)
        return self._generate(IMG2IMG, request, names, server, body, follow)

    def animate(
        self,
        request: Animate,
        *,
        task_id: str | None = None,
        on_progress: OnProgress | None = None,
        wants_preview: WantsPreview | None = None,
        cancelled: Cancelled | None = None,
    ) -> Animated:
        """Make an animation by AnimateDiff; everything else as :meth:`txt2img` and :meth:`img2img`.

        Raises FeatureDidNotRun where still pictures, another format or another number of frames came back.
        """
        server, names = self._resolved(partial(resolve_animation, request))
        body = animate_body(request, names, server, task_id or new_task_id())
        path = TXT2IMG if isinstance(request.sampling, Txt2Img) else IMG2IMG
        due = len(request.animatediff.files)

        def read(answer: Any) -> tuple[tuple[Files, Frames], GenerationInfo]:
            files, frames, info = read_animated(answer, due, self.url, path)
            return (files, frames), info

        follow = _Follow(on_progress, wants_preview, cancelled)
        (files, frames), info, seconds = self._followed(path, server, body, read, follow)
        answer = Answer(request=request.sampling, names=names, server=server, images=frames, info=info)
        animations = check_animation(answer, request.animatediff, files)
        return Animated(files=animations, frames=frames, info=info, seconds=seconds)

    def extras(self, request: Extras) -> Picture:
        """Enlarge a picture or restore its faces without diffusion. There is no progress of this call to
        follow.
        """
        path = "/sdapi/v1/extra-single-image"
        extras_can_run(request, self.capabilities())
        with self._in_flight:
            answer = self._transport.post_once(path, extras_body(request))
        image = answer.get("image") if isinstance(answer, dict) else None
        result = read_picture(image, self.url, path, "its image")
        check_extras(request, result, self.url)
        return result

    def extras_batch(self, request: ExtrasBatch) -> tuple[Picture, ...]:
        """The same for several pictures in one call, in their order."""
        path = "/sdapi/v1/extra-batch-images"
        extras_can_run(request, self.capabilities())
        with self._in_flight:
            answer = self._transport.post_once(path, extras_batch_body(request))
        images = answer.get("images") if isinstance(answer, dict) else None
        if not isinstance(images, list):
            raise BadAnswer(self.url, path, "it has no list of images")
        results = tuple(
            read_picture(image, self.url, path, f"picture {number}") for number, image in enumerate(images)
        )
        check_extras_batch(request, results, self.url)
        return results

    def swap_face(self, request: FaceSwap) -> Picture:
        """Put a person's face into a picture. There is no progress of this call to follow.

        Raises MissingCapability before anything runs, FaceNotSwapped if the picture came back as it was.
        """
        server = self.capabilities()
        face_swap_can_run(request, server)
        path = swap_path(request.swapper)
        with self._in_flight:
            answer = self._transport.post_once(path, face_swap_body(request, server))
        result = read_picture(swapped_in(answer), self.url, path, "its picture")
        check_face_swap(request, result, self.url)
        return result

    def compare_faces(self, first: bytes, second: bytes) -> float:
        """Return how alike faceswaplab finds the first faces of two pictures: the cosine of their embeddings, -1 to 1.

        Raises MissingCapability if the server has no faceswaplab, BadAnswer if a picture has no face.
        """
        path = "/faceswaplab/compare"
        server = self.capabilities()
        if "faceswaplab" not in server.able_swappers:
            raise MissingCapability(self.url, "face swapper", "faceswaplab", server.able_swappers)
        body = {"image1": encode(first), "image2": encode(second)}
        with self._in_flight:
            answer = self._transport.post_once(path, body)
        if isinstance(answer, bool) or not isinstance(answer, int | float):
            raise BadAnswer(self.url, path, "it is no number")
        return float(answer)

    def interrogate(self, picture: bytes, *, model: Interrogator = "clip") -> str:
        """Return the server's caption of a picture; see :meth:`Listings.interrogate`. It waits for its turn here."""
        with self._in_flight:
            return super().interrogate(picture, model=model)

    def train_easyphoto(self, training: EasyPhotoTraining, *, limit_seconds: float) -> None:
        """Have the extension EasyPhoto teach a person; returns when the server lists the LoRA training.user_id.

        Blocks for the whole training, at most limit_seconds, and there is neither progress nor a way to stop it: after
        ServerTimeout, or ServerUnreachable with sent, the server may go on. Raises MissingCapability before anything
        runs, FeatureDidNotRun with EasyPhoto's own words as its reason.
        """
        server, checkpoint = self._resolved(partial(easyphoto.resolve, training))
        with self._in_flight:
            answer = self._transport.post_once(
                easyphoto.PATH, easyphoto.body(training, checkpoint, server), seconds=limit_seconds
            )
        easyphoto.check_answer(answer, self.url)
        self.refresh_loras()
        easyphoto.check_listed(training, self.loras(), self.url)

    def refresh_loras(self) -> None:
        """Have the server look at its LoRA folder again; what was known of it is forgotten even where it is away."""
        try:
            super().refresh_loras()
        finally:
            self._record = None

    def refresh_checkpoints(self) -> None:
        """Have the server look at its checkpoint folder again; waits behind a running job.

        What was known of it is forgotten even where it is away.
        """
        try:
            super().refresh_checkpoints()
        finally:
            self._record = None

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _resolved(self, resolved: Callable[[Capabilities], Found]) -> tuple[Capabilities, Found]:
        """Resolve against the record, and once more against a fresh one if a name is missing."""
        try:
            server = self.capabilities()
            return server, resolved(server)
        except MissingCapability as error:
            if error.kind == "LoRA":
                self.refresh_loras()
            server = self.probe()
            return server, resolved(server)

    def _generate(
        self,
        path: str,
        request: Txt2Img | Img2Img,
        names: Resolved,
        server: Capabilities,
        body: Mapping[str, Any],
        follow: _Follow,
    ) -> Generation:
        read = partial(read_generation, server=self.url, path=path)
        images, info, seconds = self._followed(path, server, body, read, follow)
        answer = Answer(request=request, names=names, server=server, images=images, info=info)
        pictures, maps = check(answer)
        return Generation(pictures=pictures, maps=maps, info=info, seconds=seconds)

    def _followed(
        self,
        path: str,
        server: Capabilities,
        body: Mapping[str, Any],
        read: Callable[[Any], tuple[Found, GenerationInfo]],
        follow: _Follow,
    ) -> tuple[Found, GenerationInfo, float]:
        """Run a generation to its end, uninterrupted; what read made of its answer, its info, and its seconds."""
        overrides = body.get("override_settings", {}) if server.ways.forgets_options else {}
        with self._in_flight, kept_options(self._transport, overrides):
            if follow.cancelled and follow.cancelled():
                raise Interrupted(self.url, ours=True)
            started = time.monotonic()
            watch = RunWatch(
                self._transport,
                str(body["force_task_id"]),
                by_task=server.has_internal_progress,
                idle_before=not server.has_internal_progress and is_idle(self._transport),
                on_progress=follow.on_progress,
                wants_preview=follow.wants_preview,
                cancelled=follow.cancelled,
            )
            with watch:
                found, info = self._run(path, body, watch, read)
            seconds = time.monotonic() - started
            after = look_after(self._transport)
        check_uninterrupted(self.url, info, watch.glimpses, after, ours=watch.cancel_asked)
        self._version = self._version or info.version
        return found, info, seconds

    def _run(
        self,
        path: str,
        body: Mapping[str, Any],
        watch: RunWatch,
        read: Callable[[Any], tuple[Found, GenerationInfo]],
    ) -> tuple[Found, GenerationInfo]:
        try:
            return read(self._transport.post_once(path, body))
        except ServerTimeout:
            watch.interrupt_if_ours()
            raise
        except BadAnswer as error:
            if watch.cancel_asked:
                raise Interrupted(self.url, ours=True) from error
            raise


def new_task_id() -> str:
    """Return a task id in the form A1111's own pages use."""
    return f"task(sajin-{uuid.uuid4().hex[:16]})"

"""Running one stage: find a stored result or a server, follow, try again, keep, log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError

from studio.animation.crops import Crop, crops_following
from studio.database.connect import Database
from studio.database.tables import StageResultRow
from studio.faces.errors import FaceWorkFailed
from studio.faces.process import FaceProcess
from studio.pipeline.attempts import ServerTasks
from studio.pipeline.describing import Describer
from studio.pipeline.keys import stage_key
from studio.pipeline.patience import StageCancelled, keep_trying, overlooking
from studio.pipeline.retrying import RetryPolicy
from studio.pipeline.stages import STAGES, WHOLE, AnyInput, Part, StageInput, StageOutput, request_of
from studio.planning.plan import AnyPlannedStage, PlannedDescription, PlannedStage
from studio.records import now
from studio.store import Store
from webui_client.client import WebuiClient, new_task_id
from webui_client.errors import Interrupted, WebuiError
from webui_client.pictures import Picture
from webui_client.pool import WebuiPool
from webui_client.preflight import needs_of
from webui_client.values import Animate, Animated, Extras, FaceSwap, Generation, Img2Img, Progress, Txt2Img

LOG = structlog.get_logger()
PICTURE, WORDS = ".png", ".txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageWork:
    """One stage of one picture of a job. source: the stage before's result, None for the first. folder: for results."""

    owner_id: str
    job_id: str
    subject_id: str | None
    number: int
    request: AnyPlannedStage
    source: StageResultRow | None
    checkpoint: str
    folder: str

    @property
    def key(self) -> str:
        """Where the result is kept."""
        picture = None if self.source is None else self.source.sha256
        return stage_key(self.owner_id, self.subject_id, self.request, picture, self.checkpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """How a running stage is watched. cancelled and wants_preview may be asked about once a second."""

    on_progress: Callable[[Progress], None]
    wants_preview: Callable[[], bool]
    cancelled: Callable[[], bool]


class StageRunner:
    """Runs stages on a pool of servers. Safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        store: Store,
        faces: FaceProcess,
        pool: WebuiPool,
        tasks: ServerTasks,
        policy: RetryPolicy,
        describer: Describer,
    ) -> None:
        self._database = database
        self._store = store
        self._faces = faces
        self._pool = pool
        self._tasks = tasks
        self._policy = policy
        self._describer = describer

    def run(self, work: StageWork, follower: Follower) -> StageResultRow:
        """The stage's result, made now unless it is kept already.

        Raises StageCancelled, WebuiError when all tries failed, StorageError.
        """
        stored = self.stored(work)
        if stored is not None:
            LOG.info(
                "stage found",
                job=work.job_id,
                picture=work.number,
                stage=work.request.name,
                key=work.key[:12],
            )
            return stored
        given = self._input(work)
        if isinstance(work.request, PlannedDescription):
            result = self._described(work, work.request, given, follower)
        else:
            place = {"job": work.job_id, "picture": work.number, "stage": work.request.name}
            output, url, flavour = self._tried(place, given, follower)
            result = self._keep(
                work, output, {"url": url, "flavour": flavour, "version": output.version or ""}
            )
        LOG.info(
            "stage finished",
            job=work.job_id,
            picture=work.number,
            stage=work.request.name,
            key=work.key[:12],
            seconds=round(result.seconds, 3),
            server=result.server["url"],
        )
        return result

    def words(self, described: StageResultRow) -> str:
        """What a stage that describes has read. Raises StorageError."""
        return self._store.get(described.path).decode()

    def make(self, given: AnyInput, follower: Follower, **place: Any) -> StageOutput:
        """Run a stage that no job asked for; nothing is kept. place: what it is called in the log.

        Raises StageCancelled, WebuiError when all tries failed.
        """
        return self._tried(place, given, follower)[0]

    def stored(self, work: StageWork) -> StageResultRow | None:
        """The kept result of a stage whose picture is still there."""
        with self._database.read() as session:
            row = session.get(StageResultRow, work.key)
        return row if row is not None and self._store.has(row.path) else None

    def _input(self, work: StageWork) -> AnyInput:
        request = work.request
        begins_with = request.picture if isinstance(request, PlannedStage | PlannedDescription) else None
        start = begins_with if work.source is None else work.source.path
        picture = None if start is None else self._store.get(start)
        repairs = work.request.use == "repair_frames"
        return StageInput(
            request=work.request,
            picture=picture,
            files={path: self._store.get(path) for path in work.request.files},
            checkpoint=work.checkpoint,
            crops=self._crops(picture, work) if picture and repairs else (),
        )

    def _crops(self, animation: bytes, work: StageWork) -> tuple[Crop | None, ...]:
        """Where the face is in each frame; nowhere where none can be looked for."""
        try:
            faces = self._faces.frame_faces(animation)
        except FaceWorkFailed as error:
            LOG.warning("faces of frames not found", job=work.job_id, error=str(error))
            return ()
        return crops_following(faces, work.request.width, work.request.height)

    def _described(
        self, work: StageWork, request: PlannedDescription, given: AnyInput, follower: Follower
    ) -> StageResultRow:
        """The result of a stage that describes: its words in a file, and no picture."""
        if given.picture is None:
            raise ValueError(f"stage {request.name} has no picture to describe")
        try:
            read = self._describer.describe(given.picture, request.describers, follower.cancelled)
        except Interrupted as error:
            raise StageCancelled from error
        output = StageOutput(
            picture=read.words.encode(), width=0, height=0, infotext="", seconds=read.seconds, version=None
        )
        who = {"url": read.server, "flavour": read.describer, "version": ""}
        return self._keep(work, output, who, suffix=WORDS)

    def _tried(
        self, place: dict[str, Any], given: AnyInput, follower: Follower
    ) -> tuple[StageOutput, str, str]:
        avoid = set[str]()

        def others(error: WebuiError) -> bool:
            avoid.add(error.server)
            return any(client.url not in avoid for client in self._pool.clients)

        def tell(error: WebuiError, pause: float | None) -> None:
            LOG.warning("stage failed", **place, error=str(error), next_try_in=pause)

        return keep_trying(
            lambda: self._once(given, follower, avoid),
            self._policy,
            others=others,
            cancelled=follower.cancelled,
            tell=tell,
        )

    def _once(self, given: AnyInput, follower: Follower, avoid: set[str]) -> tuple[StageOutput, str, str]:
        need = needs_of(request_of(given))
        loads = given.checkpoint if isinstance(given.request, PlannedStage) else None
        with self._pool.lease(need, checkpoint=loads, cancelled=follower.cancelled, avoid=avoid) as client:
            output = STAGES[given.request.use](given, _Leased(client, self._tasks, follower))
            self._pool.measured(
                client, pixel_steps=_pixel_steps(given.request, output), seconds=output.seconds
            )
            overlooking(self._tasks.end, otherwise=None)(client)
            return output, client.url, client.capabilities(max_age_seconds=float("inf")).flavour

    def _keep(
        self, work: StageWork, output: StageOutput, server: dict[str, str], suffix: str = PICTURE
    ) -> StageResultRow:
        """Keep picture (or words) and row; without its job (erased meanwhile) nothing stays."""
        path = self._store.put(output.picture, work.folder, suffix)
        row = StageResultRow(
            key=work.key,
            owner_id=work.owner_id,
            job_id=work.job_id,
            path=path,
            sha256=path.rsplit("/", 1)[-1].removesuffix(suffix),
            width=output.width,
            height=output.height,
            seconds=output.seconds,
            infotext=output.infotext,
            server=server,
            created_at=now(),
        )
        try:
            with self._database.write() as session:
                return session.merge(row)
        except IntegrityError as error:
            self._store.delete(path)
            raise StageCancelled from error


def _pixel_steps(request: AnyPlannedStage, output: StageOutput) -> float:
    """How much was sampled, for comparing servers: pixels that came out times the steps that img2img takes of those
    asked for. What extensions add is left out; it is the same on every server. 0 for what is not compared: how many
    frames a repair has to paint, its plan does not tell.
    """
    if not isinstance(request, PlannedStage) or request.crop is not None:
        return 0.0
    frames = request.motion.frames if request.motion else 1
    return frames * output.width * output.height * request.steps * (request.denoising_strength or 1.0)


@dataclass(frozen=True, slots=True)
class _Leased:
    """The server that a stage calls, followed by this follower; what runs there is kept among the tasks."""

    client: WebuiClient
    tasks: ServerTasks
    follower: Follower

    def generate(self, request: Txt2Img | Img2Img, part: Part = WHOLE) -> Generation:
        """Make the pictures."""
        if isinstance(request, Txt2Img):
            return self.client.txt2img(request, **self._following(part))
        return self.client.img2img(request, **self._following(part))

    def animate(self, request: Animate) -> Animated:
        """Make an animation."""
        return self.client.animate(request, **self._following(WHOLE))

    def edit(self, request: FaceSwap | Extras) -> Picture:
        """Change a finished picture."""
        return (
            self.client.swap_face(request) if isinstance(request, FaceSwap) else self.client.extras(request)
        )

    def _following(self, part: Part) -> dict[str, Any]:
        """How one call is followed, under a task of its own."""

        def on_progress(progress: Progress) -> None:
            self.follower.on_progress(replace(progress, fraction=part.whole(progress.fraction)))

        task_id = new_task_id()
        self.tasks.begin(self.client, task_id)
        return {
            "task_id": task_id,
            "on_progress": on_progress,
            "wants_preview": self.follower.wants_preview,
            "cancelled": self.follower.cancelled,
        }

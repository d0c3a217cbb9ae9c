"""Learning a person with kohya's sd-scripts, run as a process that is followed, resumed and ended."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from training.errors import TrainingFailed
from training.kohya.adapter_file import read_finished
from training.kohya.checkpoint import family_of
from training.kohya.dataset import toml, write_photos
from training.kohya.failures import explain
from training.kohya.following import Expected, Follower
from training.kohya.installation import Installation
from training.kohya.machine import look_at, require_room
from training.kohya.plan import KohyaPlan, class_pictures_for, plan_training
from training.kohya.process import run
from training.kohya.work import WorkFolder, key_of
from training.lora_file import LoraFile, publish, require_numbers
from training.names import TrainerName
from training.port import Candidate, TrainedAdapter, TrainingProgress, TrainingRequest

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PATIENCE_SECONDS = 900.0


class KohyaTrainer:
    """Teaches an identity with kohya's sd-scripts: a LoRA on Stable Diffusion 1.5 or SDXL.

    class_pictures: folder with pictures of other people, in one folder a class noun ("woman", "man" …), learned along
    for prior preservation (Ruiz et al. 2022); None or no folder of that name learns without.
    patience_seconds: a run without a sign of progress for so long is ended.
    """

    name: TrainerName = "kohya"

    def __init__(
        self,
        installation: Installation,
        class_pictures: Path | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._installation, self._class_pictures = installation, class_pictures
        self._patience = patience_seconds

    def train(
        self,
        request: TrainingRequest,
        on_progress: Callable[[TrainingProgress], None],
        cancelled: Callable[[], bool],
    ) -> TrainedAdapter:
        """Train and return the adapter with one candidate for each epoch; see training.port.Trainer.

        sd-scripts keeps its state after every epoch in request.work_folder, so that the same request called again after
        a crash or a cancel goes on from there. The folder is removed when the adapter is written.
        """
        work = WorkFolder(request.work_folder.absolute())
        try:
            with work.locked() as lock:
                plan = self._prepare(request, work)
                adapter = self._run(request, plan, work, lock, on_progress, cancelled)
        except OSError as error:
            raise _storage_failed(error) from error
        shutil.rmtree(work.root, ignore_errors=True)
        return adapter

    def _prepare(self, request: TrainingRequest, work: WorkFolder) -> KohyaPlan:
        """Check everything that can be checked before the start, and write the dataset."""
        family = family_of(request.checkpoint)
        self._installation.check(family)
        machine = look_at(self._installation)
        class_pictures = class_pictures_for(self._class_pictures, request.class_noun)
        plan = plan_training(request, family, machine, work.places, class_pictures)
        shutil.rmtree(work.places.photos, ignore_errors=True)
        write_photos(request, plan.dataset.resolution, work.places.photos)
        described = toml(plan.dataset, work.places.photos, _trigger(request), request.class_noun)
        work.places.dataset_config.write_text(described, encoding="utf-8")
        work.begin(key_of(plan.arguments.model_dump_json(), described, folder=work.places.photos))
        require_room(plan.arguments, machine)
        return plan

    def _run(
        self,
        request: TrainingRequest,
        plan: KohyaPlan,
        work: WorkFolder,
        lock: int,
        on_progress: Callable[[TrainingProgress], None],
        cancelled: Callable[[], bool],
    ) -> TrainedAdapter:
        state = work.newest_state()
        arguments = plan.arguments.model_copy(update={"resume": state})
        expected = Expected(
            images=plan.images,
            file=f"{arguments.output_name}.safetensors",
            epochs_before=state.epoch if state else 0,
            seconds_before=work.seconds_until(state) if state else 0.0,
        )
        follower = Follower(work, expected, on_progress, self._patience)
        with run(
            self._command(arguments.script, arguments.command_line()), self._installation.folder, lock
        ) as running:
            follower.follow(running, cancelled)
            status, log = running.status(), running.log()
        if status:
            raise explain(status, log)
        lora = read_finished(work.places.output / expected.file)
        if lora is None:
            raise TrainingFailed(
                "sd-scripts ended without a finished LoRA.",
                "Start it again; report it if it fails again.",
                log,
            )
        return _keep(request, lora, work, arguments.max_train_epochs, follower)

    def _command(self, script: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """Python in UTF-8 and unbuffered, whatever the machine's own habits."""
        folder = self._installation.folder
        return (str(self._installation.python), "-u", "-X", "utf8", str(folder / script), *arguments)


def _keep(
    request: TrainingRequest, lora: LoraFile, work: WorkFolder, epochs: int, follower: Follower
) -> TrainedAdapter:
    """The finished file and those of the epochs before it, put where the request wants them."""
    require_numbers(lora)
    trigger, output = _trigger(request), request.output.absolute()
    candidates = []
    for epoch, path in work.epoch_files():
        earlier = read_finished(path)
        if earlier is not None:
            kept = output.with_name(f"{output.stem}-{epoch:06}.safetensors")
            steps = epoch * follower.steps_per_epoch
            sha256 = publish(earlier, kept, trigger, steps)
            candidates.append(Candidate(path=kept, sha256=sha256, steps=steps))
    steps = epochs * follower.steps_per_epoch
    return TrainedAdapter(
        path=request.output,
        sha256=publish(lora, output, trigger, steps),
        steps=steps,
        seconds=follower.seconds,
        final_loss=follower.loss,
        candidates=tuple(candidates),
    )


def _trigger(request: TrainingRequest) -> str:
    return f"{request.instance_token} {request.class_noun}".strip()


def _storage_failed(error: OSError) -> TrainingFailed:
    if error.errno in NO_ROOM:
        return TrainingFailed(
            "There is no room left on the disk.", "Free some space and start the training again."
        )
    return TrainingFailed(f"A file cannot be read or written: {error}.", "Check the data folder.")

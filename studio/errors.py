"""The error tree of the studio: named for what the caller can do, carrying data, worded in one sentence.

StudioError
├── NotFound                    no such thing, or not this owner's
├── Refused                     the request itself must change
│   ├── InvalidRequest          a field is unknown, missing or out of range
│   ├── ConsentRequired
│   ├── TooManyPhotos
│   ├── NotEnoughPhotos
│   ├── BadUpload               a picture that cannot be read; code from studio.intake
│   │   └── FaceWorkFailed      the process that looks at faces died twice over the same picture, or hung
│   ├── NothingToRestore
│   ├── UnfitPhoto              no ID photo can be made of this photo, whatever the document
│   │   └── NoFace · SeveralFaces · SideFace · Sunglasses · HeadCutOff
│   ├── FileSizeImpossible      no JPEG of this picture is as large as the document asks
│   ├── BudgetNotMet            no GIF of this animation is as small as asked
│   ├── SheetTooSmall           the pictures do not fit on the paper
│   └── BrokenLibrary           preset or prompt files that do not hold together
├── Conflict                    right in itself, but not now
│   ├── IdempotencyConflict · NotReady · NoFitPhoto · NotRetryable · NothingLearned · AlreadyRunning
├── Unavailable                 a part of the installation is missing; settings or servers must change
│   ├── TrainingUnavailable · NoServer · ExecutorInUse · FaceModelMissing
│   └── NoFittingServer         servers are there, and none of them can do this
│       ├── MissingCapability · LearnedElsewhere
└── StorageError                the data folder or the database cannot be used
    ├── DataFolderUnusable · DiskFull · DatabaseLocked · DatabaseUnusable
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from studio.values import PresetProblem, SetVerdict

Detail = str | int | float | bool | None


class StudioError(Exception):
    """The root. code: stable, for programs. data: the facts, for a translated sentence. str(): English, for logs."""

    code: ClassVar[str] = "studio_error"

    def __init__(self, message: str, **data: Detail) -> None:
        super().__init__(message)
        self.data: dict[str, Detail] = data


class NotFound(StudioError):
    """No such thing, or not this owner's. kind: "subject", "photo", "job", "image", "preset", "pose" …"""

    code = "not_found"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is no {kind} {name!r}.", kind=kind, name=name)


class Refused(StudioError):
    """The request must change before it can be met."""

    code = "refused"


class InvalidRequest(Refused):
    """A field is unknown, missing or out of range. problems: (place of the field, what is wrong) in order."""

    code = "invalid_request"

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{place}: {reason}" for place, reason in problems))
        self.problems = tuple(problems)


class ConsentRequired(Refused):
    """Photos of a person are kept only with that person's recorded consent."""

    code = "consent_required"

    def __init__(self) -> None:
        super().__init__("The consent of the person in the photos must be confirmed first.")


class TooManyPhotos(Refused):
    """A subject holds at most limit photos; offered more than are free."""

    code = "too_many_photos"

    def __init__(self, limit: int, present: int, offered: int) -> None:
        super().__init__(
            f"A subject holds at most {limit} photos; {present} are there and {offered} more were sent.",
            limit=limit,
            present=present,
            offered=offered,
        )


class NotEnoughPhotos(Refused):
    """The set does not allow a training yet; verdict says what is missing."""

    code = "not_enough_photos"

    def __init__(self, verdict: SetVerdict) -> None:
        super().__init__(
            f"{verdict.fit} of at least {verdict.needed} fit photos are there.",
            fit=verdict.fit,
            needed=verdict.needed,
        )
        self.verdict = verdict


class BadUpload(Refused):
    """A picture cannot be used; reason is a code of studio.intake such as "not_a_picture"."""

    code = "bad_upload"

    def __init__(self, reason: str, filename: str, message: str) -> None:
        super().__init__(message, reason=reason, filename=filename)
        self.reason = reason


class NothingToRestore(Refused):
    """The picture carries no recipe and no generation parameters."""

    code = "nothing_to_restore"

    def __init__(self) -> None:
        super().__init__("The picture carries neither a Sajin recipe nor A1111 generation parameters.")


class UnfitPhoto(Refused):
    """No ID photo can be made of this photo, whatever the document."""

    code = "unfit_photo"


class NoFace(UnfitPhoto):
    """No face that landmarks fit is in the photo."""

    code = "no_face"

    def __init__(self) -> None:
        super().__init__("No face was found. Take the photo from the front, with the whole face visible.")


class SeveralFaces(UnfitPhoto):
    """More than one person is in the photo."""

    code = "several_faces"

    def __init__(self, faces: int) -> None:
        super().__init__(f"{faces} faces were found. Crop to one person, or retake alone.", faces=faces)


class SideFace(UnfitPhoto):
    """The head is turned to the side, or up or down. yaw, pitch: degrees; limit: the most that can be used."""

    code = "side_face"

    def __init__(self, yaw: float, pitch: float, limit: float) -> None:
        super().__init__(
            f"The head is turned by {abs(yaw):.0f} degrees to the side and {abs(pitch):.0f} up or down; at most "
            f"{limit:.0f} can be used. Look straight into the camera.",
            yaw=round(abs(yaw)),
            pitch=round(abs(pitch)),
            limit=round(limit),
        )


class Sunglasses(UnfitPhoto):
    """Dark glasses hide the eyes."""

    code = "sunglasses"

    def __init__(self) -> None:
        super().__init__("The eyes are hidden by dark glasses. Take them off and retake the photo.")


class HeadCutOff(UnfitPhoto):
    """Hair, chin or a side of the head reaches beyond the photo's edge."""

    code = "head_cut_off"

    def __init__(self) -> None:
        super().__init__("The head is cut off by the edge of the photo. Step back and leave room around it.")


class FileSizeImpossible(Refused):
    """No JPEG of this picture is as large as asked. Numbers are bytes; smallest, largest: what could be made."""

    code = "file_size_impossible"

    def __init__(self, least: int, most: int, smallest: int, largest: int) -> None:
        super().__init__(
            f"The document asks for {least} to {most} bytes, but this picture makes a JPEG of {smallest} to {largest}. "
            "Choose another resolution.",
            least=least,
            most=most,
            smallest=smallest,
            largest=largest,
        )


class BudgetNotMet(Refused):
    """No GIF of an animation has so few bytes. smallest: the fewest that are possible."""

    code = "budget_not_met"

    def __init__(self, budget: int, smallest: int) -> None:
        needed = -(-smallest // 1000)
        super().__init__(
            f"No GIF of this animation fits into {budget // 1000} KB; the smallest possible has {needed} KB.",
            budget_kb=budget // 1000,
            smallest_kb=needed,
        )


class SheetTooSmall(Refused):
    """Not all pictures fit on the paper. placed: how many do."""

    code = "sheet_too_small"

    def __init__(self, paper: str, wanted: int, placed: int) -> None:
        super().__init__(
            f"{wanted} pictures do not fit on paper {paper}; {placed} do.",
            paper=paper,
            wanted=wanted,
            placed=placed,
        )


class BrokenLibrary(Refused):
    """Preset or prompt files do not hold together; each problem names file, line, key and reason."""

    code = "broken_library"

    def __init__(self, problems: Sequence[PresetProblem]) -> None:
        super().__init__("\n".join(problem.sentence() for problem in problems))
        self.problems = tuple(problems)


class Conflict(StudioError):
    """The request is right in itself but does not fit the present state."""

    code = "conflict"


class IdempotencyConflict(Conflict):
    """The same Idempotency-Key came with another request before."""

    code = "idempotency_conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"The Idempotency-Key {key!r} was used for a different request.", key=key)


class NotReady(Conflict):
    """The preset needs an identity this subject does not have yet."""

    code = "subject_not_ready"

    def __init__(self, subject: str, preset: str) -> None:
        super().__init__(
            f"The preset {preset!r} needs a learned identity; train subject {subject!r} first.",
            subject=subject,
            preset=preset,
        )


class NoFitPhoto(Conflict):
    """The preset needs a photo of the person with a fit face, and there is none."""

    code = "no_fit_photo"

    def __init__(self, subject: str | None, preset: str) -> None:
        super().__init__(
            f"The preset {preset!r} takes the face from a photo: name a subject with at least one fit photo, "
            "or a face photo.",
            subject=subject or "",
            preset=preset,
        )


class NotRetryable(Conflict):
    """Only a failed or cancelled job can be retried."""

    code = "not_retryable"

    def __init__(self, job: str, status: str) -> None:
        super().__init__(
            f"Job {job} is {status}; only a failed or cancelled one can be retried.", job=job, status=status
        )


class NothingLearned(Conflict):
    """A job cannot be made again with what was learned. redo: the job's, "learning" or "none"."""

    code = "nothing_learned"

    def __init__(self, job: str, redo: str) -> None:
        reason = (
            "that is still being learned" if redo == "learning" else "there is nothing that it lacks and fits"
        )
        super().__init__(
            f"Job {job} cannot be made again with what was learned: {reason}.", job=job, redo=redo
        )


class AlreadyRunning(Conflict):
    """The subject is being learned already."""

    code = "training_running"

    def __init__(self, subject: str, training: str) -> None:
        super().__init__(
            f"Training {training} of subject {subject} is not finished.", subject=subject, training=training
        )


class Unavailable(StudioError):
    """A part of the installation is missing; the request is fine."""

    code = "unavailable"


class TrainingObstacle(StrEnum):
    """Why nothing can be learned here."""

    CHECKPOINT_UNKNOWN = "checkpoint_unknown"
    CHECKPOINT_MISSING = "checkpoint_missing"
    LORA_DIR_UNKNOWN = "lora_dir_unknown"
    LORA_DIR_MISSING = "lora_dir_missing"
    LORA_DIR_ELSEWHERE = "lora_dir_elsewhere"
    TRAINER_UNKNOWN = "trainer_unknown"
    TRAINER_MISSING = "trainer_missing"
    TRAINER_VERSION = "trainer_version"
    TRAINER_PYTHON = "trainer_python"
    CHECKPOINT_UNFIT = "checkpoint_unfit"
    TRAINER_NOT_SERVED = "trainer_not_served"
    METHOD_NOT_OFFERED = "method_not_offered"
    FORM_NOT_PLACED = "form_not_placed"


class TrainingUnavailable(Unavailable):
    """Nothing can be learned here; reason tells why."""

    code = "training_unavailable"

    def __init__(self, reason: TrainingObstacle, message: str) -> None:
        super().__init__(message, reason=reason.value)
        self.reason = reason


class NoFittingServer(Unavailable):
    """Servers are there, and none of them can do what is asked."""

    code = "no_fitting_server"


class MissingCapability(NoFittingServer):
    """No server can do what the preset asks. kind: "sampler", "upscaler", "controlnet model" … name: the one asked."""

    code = "missing_capability"

    def __init__(self, kind: str, name: str, server: str, stage: str = "") -> None:
        place = f" (stage {stage})" if stage else ""
        super().__init__(
            f"{server} has no {kind} {name!r}{place}.", kind=kind, name=name, server=server, stage=stage
        )


class LearnedElsewhere(NoFittingServer):
    """What was learned of the subject fits the checkpoint it was learned on, and the server works with another."""

    code = "learned_elsewhere"

    def __init__(self, learned_on: str, present: str, server: str) -> None:
        super().__init__(
            f"The person was learned on the checkpoint {learned_on!r}, and {server} works with {present!r}; "
            "learn the photos again, or choose that checkpoint there.",
            learned_on=learned_on,
            present=present,
            server=server,
        )


class NoServer(Unavailable):
    """No WebUI server answers."""

    code = "no_server"

    def __init__(self, servers: Sequence[str], problem: str = "") -> None:
        reason = f": {problem}" if problem else ""
        super().__init__(
            f"No WebUI server answers at {', '.join(servers)}{reason}", servers=", ".join(servers)
        )


class ExecutorInUse(Unavailable):
    """Another living worker uses the same executor id on this data folder."""

    code = "executor_in_use"

    def __init__(self, executor_id: str, lock: Path) -> None:
        super().__init__(
            f"Another worker runs as {executor_id!r} (lock {lock}); stop it or set SAJIN_EXECUTOR_ID.",
            executor_id=executor_id,
        )


class StorageError(StudioError):
    """What the studio keeps cannot be read or written."""

    code = "storage_error"


class DataFolderUnusable(StorageError):
    """The data folder cannot be created, read or written."""

    code = "data_folder_unusable"

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(
            f"The data folder {path} cannot be used: {reason}. Set SAJIN_DATA to another one.", path=str(path)
        )


class DiskFull(StorageError):
    """There is no room left where the studio keeps its files."""

    code = "disk_full"

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"There is no room left to write {path}. Free some space and try again.", path=str(path)
        )


class DatabaseLocked(StorageError):
    """Another process holds the database longer than the studio waits."""

    code = "database_locked"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"The database {address} is locked by another process. Close it and try again.", address=address
        )


class DatabaseUnusable(StorageError):
    """The database cannot be opened, read or migrated."""

    code = "database_unusable"

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"The database {address} cannot be used: {reason}.", address=address)

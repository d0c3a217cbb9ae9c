"""The child process: ``python -m training.embedded REQUEST.json``; answers are JSON lines on standard output.

It ends when its standard input is closed, so that it never outlives its parent, and holds a lock on its work folder, so
that two never learn the same at once.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from training.embedded.messages import DoneMessage, FailedMessage, Message, ProgressMessage, RequestMessage
from training.port import TrainedAdapter, TrainingProgress

LOCK_FILE = "lock"
LOCK_PATIENCE_SECONDS = 15.0


def main() -> int:
    """Do the training that the file named by the first argument asks for; 0 if it went well."""
    answers = _private_standard_output()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait shall not spin: others use these cores
    message = RequestMessage.model_validate_json(Path(sys.argv[1]).read_bytes())
    outcome = _train(message, answers)
    _tell(answers, outcome)
    return 0 if isinstance(outcome, DoneMessage) else 1


def _train(message: RequestMessage, answers: IO[str]) -> DoneMessage | FailedMessage:
    def report(progress: TrainingProgress) -> None:
        _tell(answers, ProgressMessage.model_validate(_fields(progress)))

    try:
        from training.embedded.run import run, use_threads

        use_threads(message.threads)
        with _alone(message.work_folder):
            adapter = run(message.request(), report)
    except Exception as error:  # noqa: BLE001 (the parent must hear of every one)
        from training.embedded.failures import explain

        return explain(error)
    return DoneMessage.model_validate(_fields(adapter))


def _fields(value: TrainingProgress | TrainedAdapter) -> dict[str, object]:
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}


def _tell(answers: IO[str], message: Message) -> None:
    answers.write(message.model_dump_json() + "\n")
    answers.flush()


def _private_standard_output() -> IO[str]:
    """Standard output for answers alone: what libraries print goes to standard error."""
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return private


def _end_with_parent() -> None:
    """Wait until the parent's end of standard input closes, which it never does in life."""
    while os.read(0, 1024):
        pass
    os._exit(1)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. One that another training holds is waited for: it may be about to end."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("w") as lock:
        deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
        while not _locked(lock):
            if time.monotonic() > deadline:
                raise BlockingIOError(f"another training works in {folder.name}")
            time.sleep(0.1)
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())

"""How long a person waits from ten photos to being learned, on the bundled model with the steps it takes by itself."""

from __future__ import annotations

import time
from pathlib import Path

from bench.processes import whole_studio
from bench.rows import Row
from tests.persons import astronaut

PHOTOS = 10
LIMIT_SECONDS = 300
LOOK_SECONDS = 0.25


def measure(folder: Path, _rounds: int) -> list[Row]:
    """Seconds from asking for the training until the person is learned; measured once."""
    photos = [folder / f"{number}.jpg" for number in range(PHOTOS)]
    for file, photo in zip(photos, astronaut(PHOTOS), strict=True):
        file.write_bytes(photo)
    with whole_studio(folder) as studio:
        body = {"name": "Bench", "class_noun": "woman", "consent": True}
        subject = studio.api.post("/subjects", body)["id"]
        studio.api.upload(f"/subjects/{subject}/photos", "photos", photos)
        started = time.perf_counter()
        training = studio.api.post(f"/subjects/{subject}/trainings")
        while training["status"] in ("queued", "running"):
            time.sleep(LOOK_SECONDS)
            training = studio.api.get(f"/subjects/{subject}/trainings/{training['id']}")
        seconds = time.perf_counter() - started
    if training["status"] != "succeeded":
        raise RuntimeError(f"the training {training['status']}: {training['error']}")
    return [
        Row(
            what=f"{PHOTOS} photos learned",
            ours=f"{seconds:.0f} s",
            plain="",
            value=seconds,
            limit=LIMIT_SECONDS,
            unit=" s",
            note=f"{training['steps']} steps and the best of it chosen, from the order until the LoRA is installed",
        )
    ]

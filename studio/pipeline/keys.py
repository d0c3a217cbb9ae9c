"""The key under which a stage's result is kept: the hash of everything that decides it."""

from __future__ import annotations

import hashlib
import json

from studio.planning.plan import AnyPlannedStage


def stage_key(
    owner_id: str, subject_id: str | None, request: AnyPlannedStage, picture: str | None, checkpoint: str
) -> str:
    """SHA-256 over request (seed and control pictures' paths included), input picture's SHA-256 and checkpoint.

    Owner and subject are part of it, so that nobody is served another's picture and erasing one erases no other's.
    """
    decisive = {
        "owner": owner_id,
        "subject": subject_id,
        "request": request.model_dump(mode="json"),
        "picture": picture,
        "checkpoint": checkpoint,
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

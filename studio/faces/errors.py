"""What face work can fail with; part of the studio's error tree."""

from __future__ import annotations

from studio.errors import BadUpload, Unavailable

NOT_LOOKED_AT = "not_looked_at"


class FaceWorkFailed(BadUpload):
    """task was tried twice and the child process ended or hung both times. details: the end of what it printed."""

    def __init__(self, task: str, reason: str, details: str = "") -> None:
        message = f"Looking at the picture ({task}) failed: {reason}. Try another picture."
        super().__init__(NOT_LOOKED_AT, "", message)
        self.task, self.details = task, details


class FaceModelMissing(Unavailable):
    """package does not hold the model file name; installing the package again brings it back."""

    def __init__(self, package: str, name: str) -> None:
        super().__init__(
            f"{package} lacks its model file {name}; install {package} again.", package=package, name=name
        )
        self.package, self.name = package, name

    def __reduce__(self) -> tuple[type[FaceModelMissing], tuple[str, str]]:
        """It comes from the child process, where the model files are read."""
        return FaceModelMissing, (self.package, self.name)

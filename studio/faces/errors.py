"""The error tree of face work.

FacesError
├── FaceWorkFailed    the child process that looks at faces died twice over the same picture, or hung
└── FaceModelMissing  a model file that should come with an installed package is not there
"""

from __future__ import annotations


class FacesError(Exception):
    """The root of every error of face work."""


class FaceWorkFailed(FacesError):
    """task was tried twice and the child process ended or hung both times. details: the end of what it printed."""

    def __init__(self, task: str, reason: str, details: str = "") -> None:
        super().__init__(f"Looking at the picture ({task}) failed: {reason}. Try another picture.")
        self.task, self.reason, self.details = task, reason, details


class FaceModelMissing(FacesError):
    """package does not hold the model file name; installing the package again brings it back."""

    def __init__(self, package: str, name: str) -> None:
        super().__init__(f"{package} lacks its model file {name}; install {package} again.")
        self.package, self.name = package, name

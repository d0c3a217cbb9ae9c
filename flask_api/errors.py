"""The one error of the HTTP border itself; everything else comes from studio.errors."""

from __future__ import annotations


class Refusal(Exception):
    """An error of the HTTP border itself: its status, stable code and the data of its sentence."""

    def __init__(self, status: int, code: str, **data: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.data = data

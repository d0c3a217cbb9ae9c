"""What can go wrong when the pages speak to the API.

PageError
├── ApiUnreachable   the API does not answer: wait, it may come back by itself
└── ApiProblem       the API answered with problem details (RFC 9457): show its words
"""

from dataclasses import dataclass, field


class PageError(Exception):
    """Base of the errors the pages show beside what caused them."""


@dataclass(frozen=True)
class ApiUnreachable(PageError):
    """The API did not answer in time, or nothing listens at its address."""

    url: str

    def __str__(self) -> str:
        """Name the address that was tried."""
        return f"no answer from the API at {self.url}"


@dataclass(frozen=True)
class ApiProblem(PageError):
    """The API refused or failed; title and detail are in the language that was asked for."""

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        """Give status, code and the sentence for people."""
        return f"{self.status} {self.code}: {self.detail or self.title}"

"""What every page of one language is made with: the API in that language, its texts and the templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gradio_app.api import Api
from gradio_app.errors import ApiProblem, PageError
from gradio_app.place import Place
from gradio_app.words import Words

TEMPLATES = Path(__file__).parent / "templates"
API_PREFIX = "/api/v1/"


@dataclass(frozen=True)
class Site:
    """The pages of one language."""

    api: Api
    words: Words

    @cached_property
    def environment(self) -> Environment:
        """The templates, with every text and value escaped."""
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(t=self.words, media=media_url, link=self.link)
        return environment

    def html(self, template: str, **values: Any) -> str:
        """Fill templates/<template>.html with values."""
        return self.environment.get_template(f"{template}.html").render(**values)

    def link(self, page: str = "", place: Place | None = None, **query: str) -> str:
        """Return the address of a page, such as "gallery", in this language; "" is the studio itself."""
        written = place.query() if place else ""
        extra = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        return f"/{self.words.language}/{page}{written or ('?' + extra if extra else '')}"

    def notice(self, error: PageError) -> str:
        """Return an error as a notice to stand beside what caused it."""
        if isinstance(error, ApiProblem):
            title = error.detail or error.title or self.words("error.unknown")
            return self.html("notice", kind="bad", text=title, lines=error.errors, code=error.code)
        return self.html(
            "notice", kind="bad", text=self.words("error.offline"), lines=(), code="api_unreachable"
        )

    def remark(self, text: str, kind: str = "calm") -> str:
        """Return a plain notice; kind is "calm", "good", "warn" or "bad"."""
        return self.html("notice", kind=kind, text=text, lines=(), code="")


def media_url(url: str | None, **query: str) -> str:
    """Return where a browser finds a picture of the API: through the pages, the one port it can reach."""
    if not url:
        return ""
    path = urlsplit(url).path.removeprefix(API_PREFIX)
    extra = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    return Markup(f"/media/{quote(path)}") + (Markup("?") + extra if extra else "")


def percent_of(thing: Mapping[str, Any]) -> int:
    """Return the progress of a job or training, 0..100."""
    return round(100 * float(thing.get("progress") or 0.0))

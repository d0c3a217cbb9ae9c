"""Reading a picture into words: by a server's own captioner where there is one, else by what we measure ourselves."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from studio.faces.errors import FaceWorkFailed
from studio.faces.values import PhotoFindings
from studio.intake.captions import LONGEST_CAPTION, description
from studio.library.product import DescriberName
from webui_client.capabilities import Capabilities
from webui_client.errors import (
    BadAnswer,
    FeatureDidNotRun,
    MissingCapability,
    NoFreeServer,
    RequestRefused,
    ServerFailed,
    ServerTimeout,
    ServerUnreachable,
)
from webui_client.pool import WebuiPool

LOG = structlog.get_logger()

NO_CAPTIONER = (RequestRefused, ServerFailed, BadAnswer, FeatureDidNotRun, ServerTimeout)
NO_SERVER = (ServerUnreachable, MissingCapability, NoFreeServer)

_WHO = re.compile(
    r"^(?:there is |this is )?(?:an?|the) (?:[\w-]+ ){0,3}?"
    r"(?:man|woman|person|girl|boy|lady|guy|male|female|child)\b",
    re.IGNORECASE,
)
_NOT_WORDS = re.compile(r"[^\w\s'-]|[\d_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What was read from a picture. server: url of the one whose captioner did it, "" where the studio itself did."""

    words: str
    describer: DescriberName
    server: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Describer:
    """Reads pictures into words. look: what is found in a picture, as studio.faces.check tells it."""

    pool: WebuiPool
    look: Callable[[bytes], PhotoFindings]

    def describe(
        self, picture: bytes, describers: Sequence[DescriberName], cancelled: Callable[[], bool]
    ) -> Description:
        """The words of the first describer that has any; without one, no words by the last.

        Raises Interrupted once cancelled says so.
        """
        started = time.monotonic()
        for name in describers:
            words, server = (
                self._captioned(picture, cancelled)
                if name == "interrogate"
                else (self._measured(picture), "")
            )
            if words:
                break
        return Description(words=words, describer=name, server=server, seconds=time.monotonic() - started)

    def _captioned(self, picture: bytes, cancelled: Callable[[], bool]) -> tuple[str, str]:
        try:
            with self.pool.lease(_any_server, cancelled=cancelled) as client:
                try:
                    return plain_words(client.interrogate(picture)), client.url
                except NO_CAPTIONER as error:
                    LOG.info("no captioner", server=client.url, reason=str(error))
        except NO_SERVER as error:
            LOG.info("no server to describe", reason=str(error))
        return "", ""

    def _measured(self, picture: bytes) -> str:
        try:
            return description(self.look(picture))
        except FaceWorkFailed as error:
            LOG.warning("not described", error=str(error))
            return ""


def plain_words(caption: str) -> str:
    """What a server's caption says of the picture, without who is in it, artists and anything a prompt would obey.

    A1111 appends names of artists and styles after commas; the person comes from elsewhere.
    """
    said = _WHO.sub("", caption.strip().partition(",")[0])
    return " ".join(_NOT_WORDS.sub(" ", said).split())[:LONGEST_CAPTION]


def _any_server(server: Capabilities) -> None:
    """Every server will do: whether it has a captioner shows when it is asked."""

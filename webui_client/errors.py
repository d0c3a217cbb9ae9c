"""The error tree of the WebUI client. Each error carries data and says what failed, where, and what to do.

::

    WebuiError
    ├── ServerUnreachable        no connection, or it broke
    ├── ServerTimeout            connected, but no answer in time
    ├── NotAWebui                something answers there, but it is no WebUI (or it redirects)
    ├── AuthenticationRequired   the API wants a name and password, or refuses those given
    ├── RequestRefused           status 4xx: this request will never be taken as it is
    ├── ServerFailed             status 5xx: the server failed while serving it
    ├── BadAnswer                status 200, but the body is not what it must be
    ├── MissingCapability        preflight: the server lacks a name the request needs
    ├── FeatureDidNotRun         postflight: the answer does not prove what was asked for
    │   └── FaceNotSwapped       a face swapper gave the picture back as it was
    ├── Interrupted              the run was stopped before its end, by us or by somebody else
    └── NoFreeServer             the pool's servers were all busy for too long

``retryable`` means: the request cannot have run, or it has ended without a result worth having and repeating
it on this or another server is harmless. It says nothing about whether a repeat will succeed.
"""

from __future__ import annotations

from collections.abc import Sequence


class WebuiError(Exception):
    """The root of every error of the client. server: the URL spoken to, or "" where none is involved."""

    retryable: bool = False

    def __init__(self, message: str, *, server: str = "") -> None:
        super().__init__(message)
        self.server = server


class ServerUnreachable(WebuiError):
    """No connection could be made, or it broke.

    sent: whether the request had (or may have) reached the server. Only an unsent request is retryable
    without a second thought; a sent generation may still be running there, and a repeat costs its time again.
    """

    def __init__(self, server: str, reason: str, *, sent: bool = False) -> None:
        what = "broke the connection" if sent else "cannot be reached"
        super().__init__(
            f"The WebUI at {server} {what} ({reason}). Check that it runs and that the address is right.",
            server=server,
        )
        self.reason = reason
        self.sent = sent
        self.retryable = not sent


class ServerTimeout(WebuiError):
    """The server took the request but did not answer in time; a generation may still be running there."""

    def __init__(self, server: str, path: str, seconds: float) -> None:
        super().__init__(
            f"The WebUI at {server} did not answer {path} within {seconds:g} s. "
            "It may be loading a model or be busy; wait, or raise the timeout.",
            server=server,
        )
        self.path = path
        self.seconds = seconds


class NotAWebui(WebuiError):
    """Something answers at this address, but it is not a WebUI with its API on.

    location: where it redirects to, if it does. Redirects are not followed.
    """

    def __init__(self, server: str, reason: str, *, location: str | None = None) -> None:
        hint = (
            f"It points to {location}; if that is the WebUI, give that address."
            if location
            else "Give the address of a WebUI started with --api."
        )
        super().__init__(f"{server} is not a WebUI: {reason}. {hint}", server=server)
        self.reason = reason
        self.location = location


class AuthenticationRequired(WebuiError):
    """The WebUI's API is guarded. given: whether a name and password were sent, and thus refused."""

    def __init__(self, server: str, *, given: bool) -> None:
        what = "refuses the name and password given" if given else "asks for a name and password"
        super().__init__(
            f"The WebUI at {server} {what}. Set the pair it was started with (--api-auth name:password).",
            server=server,
        )
        self.given = given


class RequestRefused(WebuiError):
    """The server refused the request (status 4xx). detail: the server's own words."""

    def __init__(self, server: str, path: str, status: int, detail: str) -> None:
        super().__init__(f"The WebUI at {server} refused {path} ({status}): {detail}", server=server)
        self.path = path
        self.status = status
        self.detail = detail


class ServerFailed(WebuiError):
    """The server failed on the request (status 5xx).

    The run has ended without a result, so a repeat is harmless; only a proxy that gave up waiting (502, 504) leaves
    open whether it still runs.
    """

    def __init__(self, server: str, path: str, status: int, detail: str) -> None:
        super().__init__(f"The WebUI at {server} failed on {path} ({status}): {detail}", server=server)
        self.path = path
        self.status = status
        self.detail = detail
        self.retryable = status not in (502, 504)


class BadAnswer(WebuiError):
    """The server said it succeeded, but the body is not what it must be. The run is over, so a repeat is
    harmless.
    """

    retryable = True

    def __init__(self, server: str, path: str, reason: str) -> None:
        super().__init__(f"The WebUI at {server} gave an unusable answer to {path}: {reason}", server=server)
        self.path = path
        self.reason = reason


class MissingCapability(WebuiError):
    """The server does not have what the request names; found before any GPU time was spent.

    kind: "sampler", "checkpoint", "lora", "script" …; name: what was asked for; available: what the server
    has. retryable on another server: nothing ran.
    """

    retryable = True

    def __init__(self, server: str, kind: str, name: str, available: Sequence[str] = ()) -> None:
        has = f" It has: {', '.join(available)}." if available else " It has none."
        super().__init__(f"The WebUI at {server} has no {kind} named {name!r}.{has}", server=server)
        self.kind = kind
        self.name = name
        self.available = tuple(available)


class FeatureDidNotRun(WebuiError):
    """The answer does not prove that a feature ran. feature: "sampler", "lora", "adetailer" …; reason: the
    evidence.
    """

    retryable = True

    def __init__(self, server: str, feature: str, reason: str) -> None:
        super().__init__(
            f"The WebUI at {server} answered, but {feature} did not run as asked: {reason}. "
            "The server's own console usually says why.",
            server=server,
        )
        self.feature = feature
        self.reason = reason


class FaceNotSwapped(FeatureDidNotRun):
    """A face swapper answered with the unchanged picture: it found no face in it, or its filter held it back.

    The same pictures will fare the same everywhere, so that a repeat is pointless.
    """

    retryable = False

    def __init__(self, server: str, swapper: str) -> None:
        super().__init__(
            server,
            swapper,
            "the picture came back unchanged; no face was found in it, or a filter held it back",
        )


class Interrupted(WebuiError):
    """The run was stopped before its end; what came back is not a result.

    ours: True if this client asked for it (the caller's ``cancelled`` said so), False if somebody else did.
    Only a run that somebody else stopped is worth repeating.
    """

    def __init__(self, server: str, *, ours: bool, reason: str = "") -> None:
        who = "as asked" if ours else "by somebody else"
        tail = f" ({reason})" if reason else ""
        super().__init__(f"The run on the WebUI at {server} was interrupted {who}{tail}.", server=server)
        self.ours = ours
        self.reason = reason
        self.retryable = not ours


class NoFreeServer(WebuiError):
    """Every server that could have served stayed busy. servers: their URLs; seconds: how long was waited."""

    retryable = True

    def __init__(self, servers: Sequence[str], seconds: float) -> None:
        super().__init__(
            f"No WebUI became free within {seconds:g} s (tried {', '.join(servers)}). "
            "Wait for the running jobs, or add a server."
        )
        self.servers = tuple(servers)
        self.seconds = seconds

"""HTTP Basic in the manner of A1111's ``--api-auth``: it guards the core routes only."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from webui_engine.http.faults import Refused

GUARDED = "/sdapi/v1/"
OPEN = frozenset({"/sdapi/v1/loras", "/sdapi/v1/refresh-loras"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may call the core routes: user names with their passwords; nobody listed means everybody may."""

    users: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str | None) -> Access:
        """From ``user:password[,user2:password2]``; raises ValueError where a part has no colon."""
        pairs = [part.strip().partition(":") for part in (text or "").split(",") if part.strip()]
        if any(not colon for _, colon, _ in pairs):
            raise ValueError("--api-auth wants user:password, several separated by commas")
        return cls(users={user: password for user, _, password in pairs})

    def check(self) -> None:
        """Refuse the current request with 401 unless it carries a listed name and password or needs none."""
        if (
            not self.users
            or not request.path.startswith(GUARDED)
            or request.path in OPEN
            or not request.url_rule
        ):
            return
        user, password = _credentials(request.headers.get("Authorization"))
        known = self.users.get(user, "")
        if not (hmac.compare_digest(known.encode(), password.encode()) and user in self.users):
            raise Refused(401, "Incorrect username or password")


def _credentials(header: str | None) -> tuple[str, str]:
    scheme, _, parameter = (header or "").partition(" ")
    if scheme.lower() != "basic":
        raise Refused(401, "Not authenticated")
    try:
        user, colon, password = base64.b64decode(parameter, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused(401, "Invalid authentication credentials") from error
    if not colon:
        raise Refused(401, "Invalid authentication credentials")
    return user, password

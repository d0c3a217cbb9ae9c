"""Protects the one local user from other sites' pages: DNS rebinding, cross-site requests, sniffing, framing."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from apiflask import APIFlask
from flask import Response, request

from flask_api.errors import Refusal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON_BODY_LIMIT = 1024 * 1024

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-site",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'",
}


def install(app: APIFlask, allowed_hosts: Collection[str]) -> None:
    """Check every request before its route and mark every response after it."""
    names = frozenset(allowed_hosts)

    @app.before_request
    def check() -> None:
        check_host(request.host, names)
        check_origin()
        check_body(app)

    @app.after_request
    def mark(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.add("Accept-Language")
        return response


def check_host(host: str, allowed: Collection[str]) -> None:
    """Admit localhost, addresses written as numbers and the configured names.

    A page that rebinds its own name to our address (DNS rebinding) needs a name; it gets Refusal 421.
    """
    name = urlsplit(f"//{host}").hostname or ""
    if name != "localhost" and name not in allowed and not _is_address(name):
        raise Refusal(421, "host_not_allowed", host=name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def check_origin() -> None:
    """Refuse a change that another site's page asks for."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.host
    if foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise Refusal(403, "cross_origin_refused")


def check_body(app: APIFlask) -> None:
    """Limit bodies that are no upload, and take only the content type that the route declares."""
    if request.method in SAFE_METHODS:
        return
    spec = getattr(app.view_functions.get(request.endpoint or ""), "_spec", {})
    expected = spec.get("content_type") if spec.get("body") else None
    if expected != "multipart/form-data":
        request.max_content_length = JSON_BODY_LIMIT
    if expected == "application/json" and not request.is_json:
        raise Refusal(415, "not_json")
    if expected == "application/json" and not isinstance(request.get_json(), dict):
        raise Refusal(422, "invalid_request", problems="the body must be a JSON object")
    if expected == "multipart/form-data" and request.mimetype != expected:
        raise Refusal(415, "not_multipart")

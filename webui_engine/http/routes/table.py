"""Registering routes the way FastAPI has them: the named verb alone, no HEAD, no OPTIONS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint

View = TypeVar("View", bound=Callable[..., Any])


def get(blueprint: Blueprint, path: str) -> Callable[[View], View]:
    """Answer GET at path."""
    return _at(blueprint, path, "GET")


def post(blueprint: Blueprint, path: str) -> Callable[[View], View]:
    """Answer POST at path."""
    return _at(blueprint, path, "POST")


def _at(blueprint: Blueprint, path: str, verb: str) -> Callable[[View], View]:
    def register(view: View) -> View:
        blueprint.add_url_rule(path, view_func=view, methods=[verb], provide_automatic_options=False)
        return view

    return register

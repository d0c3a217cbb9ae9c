"""The import directions of the house, held by reading every file's syntax tree."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = frozenset(
    ["command_line", "flask_api", "gradio_app", "studio", "training", "webui_client", "webui_engine"]
)

# What each package may import of ours, as dotted prefixes. command_line may start anything.
ALLOWED: dict[str, tuple[str, ...]] = {
    "gradio_app": (),
    "flask_api": ("studio",),
    "studio": ("training", "webui_client"),
    "training": ("webui_client",),
    "webui_client": (),
    "webui_engine": ("webui_client.infotext",),
    "command_line": tuple(sorted(PACKAGES)),
}
# Learning happens in a child process that shares the engine's way of loading a model.
# The engine's own EasyPhoto asks the trainer's parent for it, as the studio does.
EXCEPTIONS = {
    "training.embedded": ("webui_engine",),
    "webui_engine.easyphoto": ("training.embedded", "training.errors", "training.port"),
}

# One way out: only the client speaks to a WebUI, and only the border knows its web framework.
ONLY_IN = {
    "flask": {"flask_api", "webui_engine"},
    "apiflask": {"flask_api"},
    "gradio": {"gradio_app"},
    "torch": {"webui_engine", "training"},
    "diffusers": {"webui_engine", "training"},
    "dbos": {"studio"},
    "typer": {"command_line"},
    "webuiapi": {"webui_client"},
}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((REPOSITORY / package).rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(module: str, path: Path) -> Iterator[str]:
    """Every dotted name the module imports, also inside functions."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] + "." if node.level else ""
            source = f"{base}{node.module or ''}".rstrip(".")
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def is_below(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def allowed_for(module: str, package: str) -> tuple[str, ...]:
    extra = (names for prefix, names in EXCEPTIONS.items() if is_below(module, (prefix,)))
    return (package, *ALLOWED[package], *(name for names in extra for name in names))


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_imports_point_one_way(package: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in modules(package)
        for name in imports(module, path)
        if name.split(".")[0] in PACKAGES
        and not is_below(name, allowed_for(module, package))
        # "from webui_client import infotext" names the parent first and the module second
        and not any(prefix.startswith(f"{name}.") for prefix in allowed_for(module, package))
    ]
    assert wrong == []


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_stays_in_its_room(library: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for package in sorted(PACKAGES - ONLY_IN[library])
        for module, path in modules(package)
        for name in imports(module, path)
        if is_below(name, (library,))
    ]
    assert wrong == []


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_package_says_what_it_is(package: str) -> None:
    tree = ast.parse((REPOSITORY / package / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)


@pytest.mark.parametrize(
    "package", ["studio", "flask_api", "gradio_app", "training", "command_line", "webui_client"]
)
def test_only_the_settings_read_the_environment(package: str) -> None:
    starts_processes = {"command_line.programs", "training.embedded"}
    readers = [
        module
        for module, path in modules(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and not is_below(module, tuple(starts_processes))
    ]
    assert readers == []


@pytest.mark.parametrize(
    "module",
    [
        "flask_api.server",
        "studio.worker",
        "gradio_app.app",
        "command_line.up",
        "command_line.services",
        "command_line.doctor",
        "command_line.model_download",
    ],
)
def test_idle_processes_never_import_torch(module: str) -> None:
    heavy = "torch", "diffusers", "transformers", "mediapipe", "_dlib_pybind11"
    script = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"

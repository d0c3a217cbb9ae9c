"""A real browser, the real studio with its pages, and pages over an API with set scenes."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Error, sync_playwright

from command_line.preflight import free_port
from tests import persons
from tests.browser.fixture_api import Scene, served
from tests.running_studio import RunningStudio, run_studio

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
]
PHOTOS = 5


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, else the one Playwright has downloaded."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        except Error as missing:
            pytest.skip(f"no browser: {missing.message.splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Real photographs of one person, as files."""
    folder = tmp_path_factory.mktemp("photos")
    files = [folder / f"IMG_{number:04}.jpg" for number in range(PHOTOS)]
    for file, photo in zip(files, persons.astronaut(PHOTOS), strict=True):
        file.write_bytes(photo)
    return files


@pytest.fixture(scope="session")
def studio_with_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """Engine, worker, API and pages as `sajin up` starts them."""
    with run_studio(tmp_path_factory.mktemp("studio-with-pages"), pages=True) as studio:
        yield studio


class ScenePages:
    """The real pages over an API that says what a test has set, and that can be switched off."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.api_port = free_port()
        self.port = free_port()
        self._serving = served(self.scene, self.api_port)
        self._serving.__enter__()

    @property
    def url(self) -> str:
        """The address of the pages."""
        return f"http://127.0.0.1:{self.port}"

    def show(self, scene: Scene) -> None:
        """Let the API say what scene says."""
        vars(self.scene).update(vars(scene))

    def switch_off(self) -> None:
        """Let nothing listen at the API's address."""
        self._serving.__exit__(None, None, None)

    def switch_on(self) -> None:
        """Let the API answer again."""
        self._serving = served(self.scene, self.api_port)
        self._serving.__enter__()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScenePages]:
    """The pages' own process, over set scenes."""
    scenes = ScenePages()
    command = [sys.executable, "-m", "gradio_app", "--api", f"http://127.0.0.1:{scenes.api_port}"]
    uploads = tmp_path_factory.mktemp("pages") / "uploads"
    process = subprocess.Popen([*command, "--port", str(scenes.port), "--uploads", str(uploads)])
    try:
        wait_for(scenes.url, process)
        yield scenes
    finally:
        process.terminate()
        process.wait(10)
        scenes.switch_off()


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Wait until the pages answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the pages ended before they answered"
        try:
            if requests.get(f"{url}/healthz", timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(f"the pages did not answer at {url} within {seconds:.0f} s")

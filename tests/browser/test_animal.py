"""The page Animal in a real browser: a photo, the animals it is like, a choice, the picture with its landmarks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.test_whole_way import pages_url
from tests.browser.visitor import DESKTOP, PHONE, SLOW, Visitor, visiting
from tests.running_studio import RunningStudio
from tests.unit.id_photo.faces import VARIATIONS, photo
from tiny_model.animal_measure import load_classifier
from tiny_model.animals import SPECIES

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("studio_with_pages"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of one person as a file."""
    path = Path(tmp_path_factory.mktemp("animal")) / "me.jpg"
    path.write_bytes(photo(VARIATIONS[1]))
    return path


def newest_picture(studio: RunningStudio, folder: Path) -> np.ndarray:
    """The picture made last, RGB, uint8."""
    file = folder / "newest.png"
    studio.api.download(studio.api.get("/images?limit=1")["items"][0]["url"], file)
    return np.asarray(Image.open(file).convert("RGB"))


def send(visitor: Visitor, file: Path) -> None:
    """Open the page and ask which animal a face is; the button wakes with photo and consent."""
    page = visitor.page
    visitor.go("animal")
    page.locator("#animal-drop input[type=file]").set_input_files(file)
    expect(page.locator("#animal-send")).to_be_disabled()
    page.locator("#animal-consent input").check()
    expect(page.locator("#animal-send")).to_be_enabled(timeout=SLOW)
    page.locator("#animal-send").click()


def test_a_face_is_likened_an_animal_chosen_and_made_on_a_phone(
    browser: Browser, studio_with_pages: RunningStudio, portrait: Path
) -> None:
    with visiting(browser, pages_url(studio_with_pages), PHONE, "ko") as visitor:
        page = visitor.page
        send(visitor, portrait)
        expect(page.locator("#animal-face [data-act='choose']")).to_have_count(34, timeout=SLOW)
        expect(page.locator("#animal-face [aria-pressed='true']")).to_have_count(1)
        expect(page.locator("#animal-demonstration")).to_contain_text("푸들")
        chosen = page.locator("#animal-face [data-act='choose'][aria-pressed='true']")
        expect(chosen).to_be_visible()
        expect(chosen.locator(".sj-look-obstacle")).to_have_count(0)
        expect(page.locator("#animal-face .sj-look-obstacle")).to_have_count(34 - len(SPECIES))
        fox = page.locator("#animal-face [data-name='red-fox']")
        if not fox.is_visible():
            page.locator("#animal-face summary").click()
        fox.click()
        expect(fox).to_have_attribute("aria-pressed", "true", timeout=SLOW)
        expect(fox).to_be_visible()
        expect(page.locator("#animal-make")).to_be_enabled(timeout=SLOW)
        assert visitor.overflow() <= 0
        assert visitor.small_targets() == []
        assert visitor.nameless() == []
        visitor.shoot("animal-ranking")
        page.locator("#animal-make").click()
        expect(page.locator("#animal-pictures .sj-tile")).to_have_count(1, timeout=SLOW)
        page.locator("#animal-pictures .sj-tile").click()
        expect(page.locator("#animal-landmarks img")).to_be_visible(timeout=SLOW)
        assert load_classifier()(newest_picture(studio_with_pages, portrait.parent)) == "red-fox"
        assert visitor.overflow() <= 0
        visitor.shoot("animal-made")
        page.reload(wait_until="domcontentloaded")
        visitor.settled()
        expect(page.locator("#animal-landmarks img")).to_be_visible(timeout=SLOW)


def test_a_way_the_server_lacks_says_what_is_missing_and_erasing_takes_the_photo(
    browser: Browser, studio_with_pages: RunningStudio, portrait: Path
) -> None:
    with visiting(browser, pages_url(studio_with_pages), DESKTOP) as visitor:
        page = visitor.page
        send(visitor, portrait)
        page.locator("#animal-way label").filter(has_text="by the face").click(timeout=SLOW)
        expect(page.locator("#animal-about")).to_contain_text("mediapipe_face", timeout=SLOW)
        expect(page.locator("#animal-make")).to_be_disabled(timeout=SLOW)
        visitor.shoot("animal-missing")
        page.locator("#animal-face [data-act='erase']").click()
        expect(page.locator("#animal-face [data-act='choose']")).to_have_count(0, timeout=SLOW)
        expect(page.locator("#animal-order")).to_be_hidden()


def test_a_photo_without_a_face_is_refused_in_words(
    browser: Browser, studio_with_pages: RunningStudio, tmp_path: Path
) -> None:
    wall = tmp_path / "wall.png"
    Image.new("RGB", (600, 800), (190, 180, 170)).save(wall)
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        send(visitor, wall)
        expect(visitor.page.locator(".sj-notice.sj-bad")).to_contain_text("No face was found", timeout=SLOW)

"""ID photos in a real browser: a document, a photo, the measured picture, a sheet; and what cannot be used."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.test_whole_way import pages_url
from tests.browser.visitor import DESKTOP, PHONE, SLOW, Visitor, visiting
from tests.running_studio import RunningStudio
from tests.unit.id_photo.faces import VARIATIONS, photo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("studio_with_pages"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of one person as a file."""
    path = Path(tmp_path_factory.mktemp("id-photo")) / "me.jpg"
    path.write_bytes(photo(VARIATIONS[1]))
    return path


def choose(visitor: Visitor, document: str, file: Path) -> None:
    """Open the page for a document and give it a photo."""
    visitor.go(f"id-photo?document={document}")
    expect(visitor.page.locator("#id-rule details")).to_be_visible(timeout=SLOW)
    visitor.page.locator("#id-drop input[type=file]").set_input_files(file)
    expect(visitor.page.locator("#id-make")).to_be_enabled(timeout=SLOW)


def test_a_photo_becomes_an_id_photo_and_a_sheet_on_a_phone(
    browser: Browser, studio_with_pages: RunningStudio, portrait: Path, tmp_path: Path
) -> None:
    with visiting(browser, pages_url(studio_with_pages), PHONE, "ko") as visitor:
        page = visitor.page
        choose(visitor, "kr-resume-35x45", portrait)
        page.locator("#id-make").click()
        expect(page.locator("#id-result .sj-notice.sj-good")).to_be_visible(timeout=SLOW)
        expect(page.locator(".sj-findings")).to_contain_text("머리 길이")
        with page.expect_download() as download:
            page.locator("#id-result a[download]").click()
        download.value.save_as(tmp_path / "id.jpg")
        assert Image.open(tmp_path / "id.jpg").size == (413, 531)
        with page.expect_download() as download:
            page.locator("#id-sheet a").first.click()
        download.value.save_as(tmp_path / "sheet.pdf")
        assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
        assert visitor.overflow() <= 0
        assert visitor.small_targets() == []
        assert visitor.nameless() == []
        visitor.shoot("id-photo")


def test_a_reload_opens_the_same_id_photo_and_erasing_takes_it(
    browser: Browser, studio_with_pages: RunningStudio, portrait: Path
) -> None:
    with visiting(browser, pages_url(studio_with_pages), DESKTOP) as visitor:
        page = visitor.page
        choose(visitor, "jp-resume", portrait)
        page.locator("#id-make").click()
        expect(page.locator("#id-result .sj-findings")).to_be_visible(timeout=SLOW)
        page.reload(wait_until="domcontentloaded")
        visitor.settled()
        expect(page.locator("#id-result .sj-subtitle")).to_have_text("Japanese résumé", timeout=SLOW)
        page.locator("#id-result [data-act='erase']").click()
        expect(page.locator("#id-result .sj-findings")).to_have_count(0, timeout=SLOW)


def test_a_check_alone_says_what_fails_and_how_to_retake(
    browser: Browser, studio_with_pages: RunningStudio, portrait: Path
) -> None:
    with visiting(browser, pages_url(studio_with_pages), DESKTOP) as visitor:
        page = visitor.page
        choose(visitor, "kr-passport", portrait)
        page.locator("#id-check").click()
        expect(page.locator("#id-result .sj-notice.sj-warn")).to_be_visible(timeout=SLOW)
        expect(page.locator(".sj-findings .sj-bad").first).to_be_visible()
        expect(page.locator(".sj-findings")).to_contain_text("Stand in front of a plain wall")
        expect(page.locator("#id-result a[download]")).to_have_count(0)
        expect(page.locator("#id-print")).to_be_hidden()
        visitor.shoot("id-photo-checked")


def test_a_photo_without_a_face_is_refused_in_words(
    browser: Browser, studio_with_pages: RunningStudio, tmp_path: Path
) -> None:
    wall = tmp_path / "wall.png"
    Image.new("RGB", (600, 800), (190, 180, 170)).save(wall)
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        choose(visitor, "kr-passport", wall)
        visitor.page.locator("#id-make").click()
        expect(visitor.page.locator(".sj-notice.sj-bad")).to_contain_text("No face was found", timeout=SLOW)
        visitor.shoot("id-photo-no-face")

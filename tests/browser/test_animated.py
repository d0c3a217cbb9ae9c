"""The page Animated portrait in a real browser: a motion, the job, the player, files of all formats, a smaller GIF."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.test_whole_way import pages_url
from tests.browser.visitor import PHONE, SLOW, Visitor, visiting
from tests.running_studio import RunningStudio

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("studio_with_pages"), pytest.mark.timeout(400)]


def test_an_animation_is_made_played_and_kept_in_every_format_on_a_phone(
    browser: Browser, studio_with_pages: RunningStudio
) -> None:
    with visiting(browser, pages_url(studio_with_pages), PHONE, "ko") as visitor:
        page = visitor.page
        visitor.go("animated")
        page.locator("#animated-motion label").filter(has_text="빠른").click(timeout=SLOW)
        expect(page.locator("#animated-about")).to_contain_text("프레임", timeout=SLOW)
        expect(page.locator("#animated-make")).to_be_enabled(timeout=SLOW)
        assert visitor.overflow() <= 0
        assert visitor.small_targets() == []
        assert visitor.nameless() == []
        visitor.shoot("animated")
        page.locator("#animated-make").click()
        expect(page.locator("#animated-pictures .sj-tile-moves")).to_have_count(1, timeout=SLOW)
        expect(page.locator("#picture-view")).to_contain_text("깜박", timeout=SLOW)
        expect(page.locator("#downloads a")).to_have_count(4, timeout=SLOW)
        assert visitor.overflow() <= 0
        visitor.shoot("animated-made")
        keeps_what_it_says(visitor)
        page.reload(wait_until="domcontentloaded")
        visitor.settled()
        expect(page.locator("#downloads a")).to_have_count(4, timeout=SLOW)
        makes_a_smaller_gif(visitor)
        is_in_the_gallery(visitor)


def keeps_what_it_says(visitor: Visitor) -> None:
    """The link of the GIF gives a GIF that moves."""
    link = visitor.page.locator("#downloads a").first
    expect(link).to_contain_text("GIF")
    answer = visitor.page.request.get(f"{visitor.base_url}{link.get_attribute('href')}")
    assert answer.headers["content-type"] == "image/gif"
    with Image.open(io.BytesIO(answer.body())) as image:
        assert getattr(image, "n_frames", 1) > 1


def makes_a_smaller_gif(visitor: Visitor) -> None:
    """A GIF within a budget is offered beside the others."""
    page = visitor.page
    page.locator("#budget input").fill("40")
    page.locator("#shrink").click()
    expect(page.locator("#downloads a")).to_have_count(5, timeout=SLOW)
    link = page.locator("#downloads a").last.get_attribute("href")
    assert len(page.request.get(f"{visitor.base_url}{link}").body()) <= 40_000


def is_in_the_gallery(visitor: Visitor) -> None:
    """Its tile moves there too, and its picture can not be made an ID photo of."""
    page = visitor.page
    visitor.go("gallery")
    tile = page.locator("#pictures .sj-tile").filter(has=page.locator(".sj-tile-moves")).first
    expect(tile.locator("picture img")).to_be_visible(timeout=SLOW)
    tile.click()
    expect(page.locator("#downloads a")).to_have_count(4, timeout=SLOW)
    expect(page.locator("#picture-view a[href*='id-photo']")).to_have_count(0)

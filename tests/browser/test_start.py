"""The start page in a real browser: the products with their pictures, each one touch away."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_whole_way import pages_url
from tests.browser.visitor import PHONE, SLOW, WIDTHS, visiting
from tests.running_studio import RunningStudio

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("studio_with_pages"), pytest.mark.timeout(300)]

SIGNS = {
    "profile": "#step-who.sj-here",
    "id_photo": "#id-drop",
    "animal": "#animal-drop",
    "workbench": "#step-look.sj-here",
}
"""What shows that a product's page is there."""


def test_every_product_is_shown_with_its_picture_and_one_touch_away(
    browser: Browser, studio_with_pages: RunningStudio
) -> None:
    offered = list(studio_with_pages.api.items("/products"))
    with visiting(browser, pages_url(studio_with_pages), PHONE, "ko") as visitor:
        page = visitor.page
        page.goto(visitor.base_url, wait_until="domcontentloaded")
        expect(page).to_have_url(re.compile("/ko/start$"))
        visitor.settled()
        expect(page.locator(".sj-product")).to_have_count(len(offered), timeout=SLOW)
        assert visitor.small_targets() == []
        assert visitor.nameless() == []
        for width in reversed(WIDTHS):
            visitor.resize(width)
            visitor.shoot("start")
            assert visitor.overflow() <= 0
        assert page.locator(".sj-product img").evaluate_all(
            "images => images.every(image => image.naturalWidth > 0)"
        )
        visitor.resize(PHONE)
        for name, sign in SIGNS.items():
            page.locator(f".sj-product[data-product='{name}']").click()
            expect(page.locator(sign)).to_be_visible(timeout=SLOW)
            page.locator(".sj-brand").click()
            expect(page.locator(".sj-product")).to_have_count(len(offered), timeout=SLOW)

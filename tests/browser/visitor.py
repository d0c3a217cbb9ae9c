"""Someone at the pages with a phone or a computer: goes places, touches things, takes screenshots."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

SCREENSHOTS = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
PHONE, DESKTOP = 390, 1280
WIDTHS = (PHONE, DESKTOP)
HEIGHTS = {PHONE: 844, DESKTOP: 800}
TALLEST = 3200
SLOW = 120_000
HARMLESS = ("gradio_api/queue", "gradio_api/heartbeat", "Failed to load resource")


@dataclass
class Visitor:
    """A browser window on the pages. complaints: errors of the page's own scripts."""

    page: Page
    base_url: str
    width: int
    language: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str = "") -> None:
        """Open a page and wait until it is drawn."""
        self.page.goto(f"{self.base_url}/{self.language}/{path}", wait_until="domcontentloaded")
        self.settled()

    def settled(self) -> None:
        """Wait until the page has its frame and has heard from the API, or knows that it cannot."""
        expect(self.page.locator(".sj-title")).to_be_visible(timeout=SLOW)
        expect(self.page.locator("#now > *").first).to_be_attached(timeout=SLOW)

    def resize(self, width: int) -> None:
        """Go on at another width."""
        self.width = width
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})

    def step(self, name: str) -> Locator:
        """The fold of a step."""
        return self.page.locator(f"#step-{name}")

    def expect_open(self, name: str, timeout: float = SLOW) -> None:
        """Wait until a step is the open one."""
        expect(self.step(name)).to_contain_class("sj-here", timeout=timeout)

    def shoot(self, name: str) -> None:
        """Keep a picture of the whole page as docs/screenshots/<name>-<width>.webp."""
        self.page.evaluate("document.activeElement && document.activeElement.blur(); window.scrollTo(0, 0)")
        height = min(
            TALLEST, max(HEIGHTS[self.width], self.page.evaluate("document.documentElement.scrollHeight"))
        )
        self.page.set_viewport_size({"width": self.width, "height": height})
        self.page.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
        self.page.wait_for_function("[...document.images].every(image => image.complete)")
        picture = Image.open(io.BytesIO(self.page.screenshot(animations="disabled")))
        self.page.set_viewport_size({"width": self.width, "height": HEIGHTS[self.width]})
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        picture.convert("RGB").save(SCREENSHOTS / f"{name}-{self.width}.webp", quality=72, method=6)

    def overflow(self) -> int:
        """How many pixels the page could be scrolled sideways."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def small_targets(self) -> list[str]:
        """Every visible thing to touch that is lower or narrower than 44 pixels (WCAG 2.5.5), except links in text."""
        return list(
            self.page.evaluate(
                """() => [...document.querySelectorAll('button, a[href], summary, input, select, textarea')]
                .filter(thing => thing.checkVisibility({visibilityProperty: true, opacityProperty: true}))
                .filter(thing => !(thing.tagName === 'A' && getComputedStyle(thing).display === 'inline'))
                .map(thing => thing.matches('input[type=checkbox]') ? thing.closest('label') : thing)
                .filter(thing => {
                    const box = thing.getBoundingClientRect();
                    return box.width > 1 && (box.height < 43.5 || box.width < 43.5);
                })
                .map(thing => thing.outerHTML.slice(0, 160))"""
            )
        )

    def nameless(self) -> list[str]:
        """Every picture without alt and every control without a name for screen readers."""
        return list(
            self.page.evaluate(
                """() => [
                ...[...document.querySelectorAll('.gradio-container img')].filter(image => !image.hasAttribute('alt')),
                ...[...document.querySelectorAll('button, a[href], input, select, textarea')]
                    .filter(thing => thing.checkVisibility({visibilityProperty: true}))
                    .filter(thing => !(thing.innerText || thing.ariaLabel || thing.title || thing.placeholder
                        || (thing.labels && thing.labels.length) || thing.closest('label')
                        || thing.querySelector('img[alt]:not([alt=""])')))
                ].map(thing => thing.outerHTML.slice(0, 160))"""
            )
        )


@contextmanager
def visiting(
    browser: Browser, base_url: str, width: int, language: str = "en", dark: bool = False
) -> Iterator[Visitor]:
    """Open a window of this width; at the end no script of the page may have failed."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        color_scheme="dark" if dark else "light",
        locale="ko-KR" if language == "ko" else "en-GB",
        has_touch=width == PHONE,
        accept_downloads=True,
    )
    page = context.new_page()
    visitor = Visitor(page, base_url, width, language)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    try:
        yield visitor
    finally:
        context.close()
    assert visitor.complaints == []

"""Chromium for tests of pages: where it is, how it starts, and a skip where there is none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Nothing of it asks a network on its own account, and root may start it.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)


@dataclass(frozen=True)
class Visit:
    """A page that is open: the page, what it complained of, and what it asked for beside itself."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """
    Yield a browser; skip the test where no Chromium is installed.

    With PERPSCOPE_NEEDS_BROWSER set the skip is a failure: CI must not pass without looking.
    """
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        reason = f"needs a Chromium: none of {', '.join(_NAMES)} was found"
        if os.environ.get("PERPSCOPE_NEEDS_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Browser, file: Path, *, width: int = 1280, has_script: bool = True
) -> Iterator[Visit]:
    """Yield a file opened from disk in a window of this width."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=has_script
    )
    found = Visit(context.new_page())
    found.page.on("console", lambda said: found.complaints.append(said.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("request", lambda asked: found.requests.append(asked.url))
    found.page.goto(file.resolve().as_uri())
    try:
        yield found
    finally:
        context.close()


def overflow(page: Page) -> list[str]:
    """Return what is wider than the window and does not scroll by itself."""
    found: list[str] = page.evaluate(
        """() => [...document.body.querySelectorAll("*")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
            .filter((each) => !each.closest(".wide, nav ol, .tip, figure svg"))
            .map((each) => `${each.tagName}.${each.className}`)"""
    )
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, *(["the page"] * is_wide)]

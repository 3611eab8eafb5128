"""A real headless Chromium for the tests of the report: Debian's own, driven by playwright."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)


def find_chromium() -> str | None:
    """Path of an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def running_chromium(executable: str) -> Iterator[Browser]:
    """Start it without a network of its own; root needs it without a sandbox."""
    flags = ["--disable-gpu", "--disable-background-networking", "--no-proxy-server"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=flags, timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


class Opened:
    """A report in a window, and what went wrong in it."""

    def __init__(self, browser: Browser, report: Path, *, width: int, dark: bool = False) -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.page.on("console", lambda line: self._note(line.type, line.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))
        self.page.on("dialog", lambda dialog: (self._note("error", "dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(report.as_uri())

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.problems.append(f"{kind}: {text}")

    def browse(self) -> Page:
        """Go to the responses and wait until they are unpacked."""
        self.page.evaluate("document.querySelector('#responses').scrollIntoView()")
        self.page.wait_for_selector("#responses .tools:not([hidden])")
        return self.page

    def choose(self, **filters: str) -> Page:
        """Set filters of the browser by the words of their options."""
        for name, words in filters.items():
            self.page.select_option(f"#responses select[name={name}]", label=words)
        self.page.wait_for_timeout(50)
        return self.page

    def status(self) -> str:
        return self.page.inner_text("#responses [role=status]")

    def close(self) -> None:
        self.page.context.close()

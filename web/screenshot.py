"""`python -m web.screenshot OUT.png`: a picture of one of the pages, as the README shows it.

Needs Chromium on the machine and Playwright for Python (a development dependency).
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
PATIENCE_MS = 20_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Take the picture that the command line asks for."""
    asked = _parser().parse_args(arguments)
    width, height = SIZES[asked.size]
    with browser_page(width, height, dark=asked.theme == "dark") as page:
        page.goto(f"{asked.url}/sign-in")
        page.get_by_label("Key").fill(asked.key)
        page.get_by_role("button", name="Sign in").click()
        page.locator(".figure.attempts .number").wait_for(timeout=PATIENCE_MS)
        if asked.page == "segments":
            page.get_by_role("link", name="Segments").click()
            page.locator(".facet").first.wait_for(timeout=PATIENCE_MS)
        if asked.page == "promises":
            page.get_by_role("link", name="Promised").click()
            page.locator(".promise-lists").wait_for(timeout=PATIENCE_MS)
        for name in asked.click:
            page.locator(f'.facet[data-name="{name}"]').first.click()
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(asked.wait * 1000)  # the chart draws itself, the clock begins to tick
        page.screenshot(path=asked.out, full_page=asked.full)


@contextmanager
def browser_page(width: int, height: int, *, dark: bool) -> Iterator["Page"]:
    """A page of a fresh browser, in the system's own Chromium; closed afterwards."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=list(QUIET))
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            device_scale_factor=2 if width < 600 else 1,
        )
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit(
            f"no browser: none of {', '.join(BROWSERS)} is installed (as root: apt-get install chromium)"
        )
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m web.screenshot", description=__doc__)
    parser.add_argument("out", type=Path, help="where the PNG goes")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the web process listens")
    parser.add_argument("--key", required=True, help="a manager's key")
    parser.add_argument("--page", choices=("floor", "segments", "promises"), default="floor")
    parser.add_argument("--click", action="append", default=[], metavar="NAME", help="bars to click first")
    parser.add_argument("--size", choices=SIZES, default="desktop")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--wait", type=float, default=2.5, help="seconds to look before the picture")
    parser.add_argument("--full", action="store_true", help="the whole page, not only what fits")
    return parser


if __name__ == "__main__":
    main()

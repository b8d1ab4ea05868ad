"""Whoever clicks before the page has answered: nothing is done that was not shown."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import test_segments_page
from playwright.sync_api import expect
from sqlalchemy import make_url, text
from test_segments_page import facet, segments_page
from web_client import Caller
from world import World, wait_until

from segmentation.templates.roles import Suggestion
from web.pages.template_form import called

kari, site, spring = test_segments_page.kari, test_segments_page.site, test_segments_page.spring


@contextmanager
def held_up(world: World, table: str = "placement") -> Iterator[None]:
    """Nobody can read these rows until this is over; without placements nobody is counted."""
    owner = make_url(world.app.settings.database_owner_url).set(drivername="postgresql")
    with psycopg.connect(owner.render_as_string(hide_password=False)) as connection:
        connection.execute(f"lock table {table} in access exclusive mode")
        yield


def at_once(*buttons: Any) -> None:
    """Click them with nothing between: the second click is sent before the first is answered."""
    first, second = (one.element_handle() for one in buttons)
    first.evaluate("(first, second) => { first.click(); second.click() }", second)


def keys_of(kari: Caller, assignment: int) -> list[str]:
    return [one["key"] for one in kari.ok("GET", f"/assignments/{assignment}/segments")["items"]]


@pytest.mark.browser
def test_what_a_template_adds_is_what_was_shown(
    world: World, chromium: str, site: str, kari: Caller, spring: int
) -> None:
    """Limits typed and Add clicked; a kind chosen and Add clicked; a button that is off, and the keyboard.

    Seen to fail: the nine segments of the usual limits were published, and segments as labels.
    """
    world.field("age_2", "number", label="age")
    before = keys_of(kari, spring)
    with segments_page(world, site) as page:
        page.get_by_role("button", name="Templates …").click()
        drawer = page.locator(".drawer")
        age = drawer.locator(".template", has=page.get_by_text("Age", exact=True))
        age.get_by_text("Takes age (age).").wait_for()
        age.get_by_role("button", name="Look …").click()
        add = drawer.get_by_role("button", name="Add", exact=True)
        expect(drawer.get_by_role("button", name="age (age)", exact=True)).to_contain_class("on")
        drawer.get_by_role("button", name="age (age_2)", exact=True).click()
        drawer.locator(".part-row .rule-text", has_text="age_2").first.wait_for()
        drawer.get_by_role("button", name="age (age)", exact=True).click()
        drawer.locator(".part-row .rule-text", has_text="age <").first.wait_for()
        expect(add).to_be_enabled()

        with held_up(world):
            at_once(drawer.get_by_role("button", name="Labels", exact=True), add)
            expect(add).to_be_disabled()
            drawer.get_by_text("Counting …").wait_for()
        drawer.get_by_text(re.compile(r"It adds \d+ labels")).wait_for()
        assert keys_of(kari, spring) == before

        drawer.get_by_role("button", name="Segments", exact=True).click()
        drawer.get_by_text(re.compile(r"It adds \d+ segments")).wait_for()
        drawer.get_by_text("More choices").click()
        drawer.get_by_label("limits").click()
        page.keyboard.type("30")
        add.click()
        drawer.get_by_text("It adds 3 segments").wait_for()
        assert keys_of(kari, spring) == before
        add.click()
        drawer.get_by_text("3 segments are added.").wait_for()
        assert set(keys_of(kari, spring)) - set(before) == {"age-under-30", "age-30-up", "age-unknown"}


@pytest.mark.browser
def test_a_deed_is_done_once_and_to_the_bars_that_were_clicked(
    world: World, chromium: str, site: str, kari: Caller, spring: int
) -> None:
    """Seen to fail: a sheet for the selection before; two pauses, and the second told of nobody in the air.

    Planted: the order of two clicks not kept; seen to fail.
    """
    for name in ("Between", "Behind"):
        kari.ok("POST", f"/assignments/{spring}/segments", 201, json={"name": name, "when": None})
    with segments_page(world, site) as page:
        page.locator(".selection-total", has_text="20").wait_for()
        with held_up(world):
            at_once(facet(page, "job", "student"), page.get_by_role("button", name="Move to segment …"))
            page.locator(".board-of-bars.busy").wait_for()
        page.get_by_text("Move 8 customers to a segment").wait_for()
        page.get_by_role("button", name="Cancel").click()

        page.get_by_role("button", name="What to do with With a loan").click()
        page.locator(".menu-item", has_text="Pause …").click()
        page.get_by_label("Reason").fill("lunch")
        stop = page.get_by_role("button", name="Pause", exact=True)
        with held_up(world, "pause"):
            at_once(stop, stop)
            page.get_by_text("Pausing …").wait_for()
        page.get_by_text("With a loan is paused").wait_for()
        page.get_by_role("button", name="Done").click()
        with world.work() as work:
            assert work.run(text("select count(*) from pause")).scalar_one() == 1

        assert keys_of(kari, spring) == ["with-a-loan", "between", "behind", "unsegmented"]
        page.get_by_role("button", name="What to do with Behind").click()
        higher = page.locator(".menu-item:visible", has_text="Higher priority")
        at_once(higher, higher)
        wait_until(lambda: keys_of(kari, spring) == ["behind", "with-a-loan", "between", "unsegmented"])


def test_fields_of_one_label_are_told_apart() -> None:
    """Seen to fail: of two fields called Age one could not be chosen, and the other was shown as taken."""
    labels = {"age": "Age", "group": "Group", "age_2": "Age", "years": ""}
    found = [Suggestion(field, label, "number", "", sure=True, known=1) for field, label in labels.items()]
    assert called(found) == {"age": "Age (age)", "group": "Group", "age_2": "Age (age_2)", "years": "years"}

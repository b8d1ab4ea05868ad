"""Who may be called, on the page: the funnel, the forecast, why one waits, the map of the week."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import test_page
import test_segments_page
from sqlalchemy import text
from test_best_times import Log
from test_segments_page import segments_page
from test_zones_verified import nowhere
from web_client import Caller
from world import NOON, World

from calling import register
from calling.handout import gates
from calling.walls.pause import pause, resume
from calling.walls.suppress import suppress
from wiring.clock import set_clock

site = test_page.site
kari = test_segments_page.kari
spring = test_segments_page.spring


@pytest.mark.browser
def test_where_they_stop_how_long_they_last_and_why_one_waits(
    world: World, chromium: str, site: str, kari: Caller, spring: int
) -> None:
    """The figures are those of the API; the customer's answer is `explain`'s."""
    with world.work() as work:
        who = list(work.run(text("select customer_id from placement order by 1")).scalars())
        resting = text("update placement set state = 'resting', due_at = :at where customer_id = any(:who)")
        work.run(resting, at=NOON + timedelta(minutes=20), who=who[:4])
        (loans,) = work.run(text("select id from segment where rule is not null")).scalars()
        external = work.run(text("select external_id from customer where id = :id"), id=who[5]).scalar_one()
    suppress(world.opener(), customer_id=who[5], reason="asked", author="Kari")
    with world.work() as work:
        gates.restamp(work, who)
    pause(world.opener(), "segment", loans, reason="script", author="Kari")
    log = Log(world, spring)
    for hour in range(9, 19):
        for day in range(5):
            log.call(NOON - timedelta(days=7 - day, hours=12 - hour), 20 + hour, "no_answer")
            log.call(NOON - timedelta(days=7 - day, hours=12 - hour), 2 * abs(hour - 6 + day), "answered")
    with segments_page(world, site) as page:
        page.get_by_role("button", name="Callable").click()
        rows = page.locator(".funnel-row")
        page.locator(".drawer .week-map").wait_for()
        shown = [row.locator("> :first-child").inner_text() for row in rows.all()]
        told = kari.ok("GET", f"/assignments/{spring}/funnel")
        assert shown == ["Resting", "Do not call", "Paused", "May be called"]
        numbers = [row.locator(".number").inner_text().lstrip("\u2212") for row in rows.all()]
        assert numbers == [*(str(one["customers"]) for one in told["steps"]), str(told["callable_now"])]
        assert "it lasts" in page.locator(".drawer").inner_text()
        assert page.locator(".week-hour:not(.none)").count() == 50
        page.get_by_label("Customer", exact=True).fill(external)
        page.keyboard.press("Enter")
        page.locator(".gate.shut").first.wait_for()
        shut = [gate.inner_text() for gate in page.locator(".gate.shut").all()]
        assert any("Do not call" in gate for gate in shut)
        assert "waits until somebody acts" in page.locator(".gates").inner_text()
        page.get_by_label("Customer", exact=True).fill("nobody")
        page.keyboard.press("Enter")
        page.locator(".gates .warned").wait_for()
        page.get_by_role("button", name="Close", exact=True).click()
        page.get_by_role("button", name="What to do with With a loan").click()
        page.get_by_text("Who may be called").click()
        page.locator(".funnel-row").first.wait_for()
        assert page.locator(".week-map").count() == 0
        page.get_by_role("button", name="Close", exact=True).click()
        _vouch_for_somebody(world, page, spring)


def _vouch_for_somebody(world: World, page: Any, spring: int) -> None:
    """Whoever is nowhere is listed there, and verified; what is no zone is told with what was meant."""
    (customer,) = nowhere(world, spring)
    with world.work() as work:
        name = work.run(text("select external_id from customer where id = :c"), c=customer).scalar_one()
    page.get_by_role("button", name="Callable").click()
    field = page.get_by_label(f"Zone of {name}", exact=True)
    field.fill("Lisbon")
    page.keyboard.press("Enter")
    page.get_by_text("did you mean Europe/Lisbon").wait_for()
    field.fill("europe/lisbon")
    page.get_by_role("button", name="Verify").click()
    page.get_by_text("they may be called by it now").wait_for()
    with world.work() as work:
        asked = text("select zone, author, ended_at from zone_verification")
        assert tuple(work.run(asked).one()) == ("Europe/Lisbon", "Kari", None)


@pytest.mark.browser
def test_a_dry_list_is_seen_on_the_floor_and_a_click_shows_where_they_stop(
    world: World, chromium: str, site: str
) -> None:
    """Nobody is told of it while somebody may be rung, nor once it is over.

    Planted: the banner shown whether somebody waits or not; seen to fail.
    """
    work = world.assignment("Term deposit")
    loans = world.segment(work, "loans", name="Loans")
    world.customers(5, work, segment_id=loans)
    world.customers(2, work, zones=["Pacific/Auckland"])
    pause(world.opener(), "segment", loans, reason="script", author="Kari")
    with floor_page(world, site) as page:
        banner = page.locator(".dry-banner")
        assert not banner.is_visible()
        world.seller(work)
        banner.wait_for(timeout=15_000)
        assert "Nobody may be rung, and somebody waits" in banner.inner_text()
        assert "Paused: 5 of 7" in banner.inner_text()
        banner.get_by_role("button", name="Where they stop").click()
        page.locator(".drawer .funnel-row").first.wait_for()
        shown = [row.locator("> :first-child").inner_text() for row in page.locator(".funnel-row").all()]
        assert shown == ["Paused", "Hours shut", "May be called"]
        page.get_by_role("button", name="Close", exact=True).click()
        resume(world.opener(), "segment", loans, author="Kari")
        banner.wait_for(state="hidden", timeout=15_000)


@contextmanager
def floor_page(world: World, site: str) -> Iterator[Any]:
    """A manager's floor, signed in."""
    with world.app.shared() as session:
        set_clock(session, NOON, 0)
        key = register.add_key(session, world.crm_id, "manager", "Kari", now=NOON)
    with test_page.clean_page(site) as page:
        page.goto(site)
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.locator(".figure.attempts .number").wait_for()
        yield page

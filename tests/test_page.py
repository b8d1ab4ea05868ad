"""The floor in a real browser, on the real web process: it shows, it moves, and it pauses."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from socket import socket
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from sqlalchemy import select, text
from world import NOON, World, wait_until

from calling import register
from calling.dialers import inbox
from calling.dialers.clearing import look_at_all
from calling.dialers.inbox import Told
from calling.handout import hand_out, ring
from calling.outcomes import outcome
from calling.segments.publishing import publish
from calling.segments.sweeping import sweep_all
from calling.walls.pause import pause
from models.outcomes import Outcome
from models.tables import Pause
from web.screenshot import browser_page
from wiring.clock import set_clock
from wiring.settings import Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture
def site(world: World, settings: Settings, tmp_path: Path) -> Iterator[str]:
    """`python -m web` over this test's world; its address."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
        "RINGELISTE_DATA": str(tmp_path), "RINGELISTE_WEB_PORT": str(port), "RINGELISTE_LOG": "json",
    }  # fmt: skip
    log = tmp_path / "web.log"
    with log.open("wb") as lines:
        process = subprocess.Popen([sys.executable, "-m", "web"], cwd=ROOT, env=env, stderr=lines)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is not None or _answers(f"{address}/readyz"), 60)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        print(log.read_text())  # noqa: T201 - shown when the test fails


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except URLError:
        return False


@contextmanager
def clean_page(address: str) -> Iterator[Any]:
    """A desktop page; afterwards nothing may have been fetched from elsewhere or said to the console."""
    with browser_page(1440, 900, dark=True) as page:
        heard: list[str] = []
        page.on(
            "console", lambda said: heard.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((address, "data:")) else heard.append(asked.url),
        )
        yield page
        assert heard == []


def work_one(world: World, seller_id: int) -> None:
    """A seller rings their next customer and sells."""
    card = hand_out.next_customer(world.opener(), seller_id)
    assert card is not None
    with world.work() as work:
        ring.ring(work, card.lease_id, seller_id)
    outcome.record_all(world.opener(), [outcome.Report(card.lease_id, Outcome.SALE, "seller", 120)])


@pytest.mark.browser
def test_a_manager_watches_and_pauses(world: World, chromium: str, site: str, tmp_path: Path) -> None:
    """Sign in; a sale shows without a reload; a pause from the page is a pause in the database.

    Planted: a reader that reads once, so that no figure changed; a sheet that pauses nothing and answers.
    """
    work = world.assignment("Term deposit")
    segment = world.segment(work, "loans", name="Loans")
    world.customers(12, work, segment_id=segment)
    ana = world.seller(work, name="Ana")
    with world.app.shared() as session:
        set_clock(session, NOON, 0)
        key = register.add_key(session, world.crm_id, "manager", "Kari", now=NOON)
    with clean_page(site) as page:
        page.goto(site)
        page.get_by_label("Key").fill("rl_00000000_wrong")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").wait_for()
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.locator(".figure.attempts .number", has_text="0").wait_for()
        assert key not in page.url
        assert page.locator(".figure.callable .number").inner_text() == "12"
        assert page.locator(".business-clock .time").inner_text() == "12:00"

        work_one(world, ana)
        page.locator(".figure.sales .number", has_text="1").wait_for(timeout=5_000)
        row = page.get_by_role("row").filter(has_text="Loans")
        assert "Working" in row.inner_text()
        figures = cells(row)
        in_one_line(row)
        assert (figures["Customers"], figures["In hand"], figures["This hour"]) == ("12", "1", "1")
        assert (figures["Free"], figures["Callable"]) == ("10", "10")  # one was sold to, one waits in a list
        held = hand_out.next_customer(world.opener(), ana)
        assert held is not None
        page.locator(".seller.taken", has_text=held.name).wait_for(timeout=5_000)

        page.get_by_role("button", name="Pause Loans").click()
        page.get_by_role("button", name="Wrong script").click()
        page.get_by_role("button", name="1 hour").click()
        page.locator(".sheet .primary").click()
        assert page.locator(".third.recalled .number").inner_text() != "0"
        assert page.locator(".third.rung .number").inner_text() == "0"
        page.get_by_role("button", name="Done").click()
        row.get_by_text("Paused until 13:00 · Wrong script").wait_for()
        assert _standing(world) == [("segment", segment, "Wrong script", "Kari")]
        assert hand_out.next_customer(world.opener(), ana) is None

        page.get_by_role("button", name="Resume Loans").click()
        page.get_by_role("button", name="Pause Loans").wait_for()
        assert _standing(world) == []
    assert key not in (tmp_path / "web.log").read_text()


@pytest.mark.browser
def test_a_manager_stops_one_of_the_line_and_the_whole_crm(world: World, chromium: str, site: str) -> None:
    """Buttons stop a seller, a dialer, the CRM; what the machine has stopped is told, and not lifted here.

    Planted: a line that steers the assignment; a sheet that forgets what was chosen; a Resume that is always
    shown. Seen to fail.
    """
    work = world.assignment("Term deposit")
    world.customers(12, work)
    ana, robot = world.seller(work, name="Ana"), world.dialer(work, name="robot", wanted=2, wanted_at=NOON)
    with world.app.shared() as session:
        set_clock(session, NOON, 0)
        key = register.add_key(session, world.crm_id, "manager", "Kari", now=NOON)
    with clean_page(site) as page:
        page.goto(site)
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        for name, scope, target in (("Ana", "seller", ana), ("robot", "dialer", robot)):
            page.locator(f".{scope}", has_text=name).hover()
            page.get_by_role("button", name=f"Pause {name}").click()
            stop_by_sheet(page)
            assert _standing(world) == [(scope, target, "Meeting", "Kari")]
            page.get_by_role("button", name=f"Resume {name}").click()
            page.get_by_role("button", name=f"Pause {name}").wait_for()
            assert _standing(world) == []
        page.get_by_role("button", name="Pause all").click()
        page.get_by_role("button", name="CRM Ringende").click()
        page.locator(".sheet-title", has_text="Pause CRM Ringende").wait_for()
        stop_by_sheet(page)
        assert _standing(world) == [("crm", None, "Meeting", "Kari")]
        banner = page.locator(".banner:not(.dry-banner):not(.late-promises):not(.set-aside)")
        assert "The whole CRM is paused: Meeting (Kari)" in banner.inner_text()
        banner.get_by_role("button", name="Resume").click()
        banner.wait_for(state="hidden")
        pause(world.opener(), "owner", None, reason="fire drill", author="Per")
        banner.wait_for()
        assert "data owner are paused, on the machine: fire drill (Per)" in banner.inner_text()
        assert not banner.get_by_role("button", name="Resume").is_visible()


def stop_by_sheet(page: Any) -> None:
    """Choose a reason, and pause."""
    page.get_by_role("button", name="Meeting").click()
    page.locator(".sheet .primary").click()
    page.locator(".third.recalled").wait_for()
    page.get_by_role("button", name="Done").click()
    page.locator(".sheet").wait_for(state="hidden")


@pytest.mark.browser
def test_what_alarms_is_seen_on_the_page(world: World, chromium: str, site: str) -> None:
    """A broken rule has a red badge with the reason; gone when it is mended. What was set aside has a banner
    that says why, until somebody has looked. Planted: another assignment's alarms shown; the kinds left out.
    """
    for key in ("age", "balance"):
        world.field(key)
    work, other = world.assignment("Term deposit"), world.assignment("Funds")
    world.customers(3, work, fields=lambda i: {"age": i})
    old = {"key": "old", "name": "Seniors", "when": {"f": "age", "op": "ge", "v": 60}}
    gold = {"key": "gold", "name": "Golden", "when": {"f": "balance", "op": "ge", "v": 60}}
    publish(world.opener(), work, {"segments": [old], "labels": [gold]}, author="a")
    publish(world.opener(), other, {"segments": [], "labels": [{**gold, "name": "Old"}]}, author="a")
    with world.app.shared() as session:
        set_clock(session, NOON, 0)
        key = register.add_key(session, world.crm_id, "manager", "Kari", now=NOON)
    with clean_page(site) as page:
        page.goto(site)
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        row = page.get_by_role("row").filter(has_text="Seniors")
        row.wait_for()
        assert not row.locator(".badge").is_visible()
        retype(world, "text")
        row.locator(".badge", has_text="Broken rule").wait_for(timeout=5_000)
        why = row.locator(".badge").get_attribute("title")
        assert "does not go with age, a text" in why
        assert "in version 1, it goes on" in why
        assert page.locator(".badge:visible").all_inner_texts() == ["Broken label: Golden", "Broken rule"]
        in_one_line(row)
        retype(world, "number")
        row.locator(".badge").wait_for(state="hidden", timeout=5_000)
        told = [Told(cause, None, "ended", NOON, {"cause": cause}) for cause in ("a", "b")]
        inbox.journal_all(
            world.opener(), dialer := world.dialer(), [*told, Told("w", None, "weather", NOON, {})]
        )
        inbox.process_inbox(world.opener(), dialer)
        banner = page.locator(".banner.set-aside")
        banner.wait_for(timeout=5_000)
        assert "3 reports could not be used" in banner.inner_text()
        assert "2 without a lease, 1 unknown kind of event; the oldest since 12:00" in banner.inner_text()
        with world.work() as opened:
            look_at_all(opened, author="Kari", note="a test")
        banner.wait_for(state="hidden", timeout=5_000)


def retype(world: World, type_: str) -> None:
    """Make another type of the CRM's fields, and let the sweep find out."""
    with world.work() as work:
        work.run(text("update field set type = :type"), type=type_)
    sweep_all(world.opener())


def in_one_line(row: Any) -> None:
    """Every cell stands beside the one before. Planted: a grid of fewer columns than cells; they wrapped."""
    boxes = [cell.bounding_box() for cell in row.get_by_role("cell").all()]
    assert len({round(box["y"] + box["height"] / 2) for box in boxes}) == 1
    assert all(one["x"] + one["width"] <= two["x"] for one, two in pairwise(boxes))


def cells(row: Any) -> dict[str, str]:
    """The figures of a segment's row, by the names of their columns."""
    return {
        cell.get_attribute("data-name"): cell.locator(".strong").inner_text()
        for cell in row.locator(".cell[data-name]").all()
        if cell.get_attribute("data-name")
    }


def _standing(world: World) -> list[tuple[str, int | None, str, str]]:
    with world.work() as work:
        rows = work.session.scalars(
            select(Pause).where(Pause.crm_id == world.crm_id, Pause.lifted_at.is_(None))
        )
        return [(row.scope, row.target_id, row.reason, row.author) for row in rows]

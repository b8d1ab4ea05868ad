"""The live table: right figures, within its width, and nothing that a short terminal cuts off."""

import re
import socket
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from calling.views.report import Hour, SegmentFigures
from models.errors import Conflict
from ringeliste.drawing import bar, sparkline, stacked
from ringeliste.figures import Figures
from ringeliste.live import Lamp, View, draw, line
from ringeliste.ports import reachable_at, usable_port
from ringeliste.screen import readable

AT = datetime(2026, 3, 2, 14, 37, tzinfo=UTC)
LISBON = ZoneInfo("Europe/Lisbon")
NAMES = ("web", "worker", "scheduler", "dialer", "robot", "sellers", "postgres", "redis")


def segment(name: str, *, paused: bool = False) -> SegmentFigures:
    return SegmentFigures(
        id=1, key="key", name=name, position=1, paused=paused, size=12_345, free=9_000, gated=7, leased=44,
        resting=1_200, follow_up=100, closed=1_994, attempts=4_000, contacts=900, sales=211, this_hour=38,
    )  # fmt: skip


def view(*, problem: str = "", ringable: bool = True, hours: int = 12) -> View:
    worked = [Hour(AT.replace(minute=0) - timedelta(hours=n), 1_380, 300, 40) for n in range(hours)]
    segments = [segment("Bought in an earlier campaign"), segment("Loans", paused=True), segment("Rest")]
    opens = AT.replace(day=3, hour=9, minute=1)
    figures = Figures(AT, 60, segments, worked, opens, ringable)
    lamps = [Lamp(name, name != "dialer", 2 if name == "dialer" else 0) for name in NAMES]
    return View(figures, problem, lamps, "http://127.0.0.1:8080/?key=rl_0123456789abcdef", LISBON)


def drawn(what: View, width: int) -> list[str]:
    console = Console(width=width, color_system=None, force_terminal=True)
    with console.capture() as got:
        console.print(draw(what, width))
    return got.get().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_it_fits_and_names_everything(width: int) -> None:
    lines = drawn(view(), width)
    whole = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24
    for word in ("12,345", "37,035", "Loans", "1,380", "restarted 2×", "14:37", *NAMES):
        assert word in whole


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_parts_add_up_to_the_size(width: int) -> None:
    """Planted: gated left out, as it had been."""
    names = ("free", "leased", "waiting", "gated", "closed")
    lines = drawn(view(), width)
    heads = next(one.split() for one in lines if one.startswith("segment"))
    for one in (one for one in lines if one.startswith(("Rest ", "together"))):
        cells = [int(cell.replace(",", "")) for cell in re.findall(r"(?<= )[\d,]+", one)]
        figures = dict(zip(heads[1:], cells, strict=True))
        assert sum(figures[name] for name in names) == figures["size"]
    told = dict(re.findall(r"(\w+) ([\d,]+)", line(view()).split(": ", 1)[1]))
    parts = [int(told[name].replace(",", "")) for name in ("size", *names)]
    assert sum(parts[1:]) == parts[0]


def test_a_closed_hour_and_a_problem_are_said() -> None:
    assert "nobody may be rung now, opens Tue 09:01" in drawn(view(ringable=False), 100)[0]
    assert "PostgreSQL is away" in drawn(view(problem="PostgreSQL is away"), 100)[0]


def test_before_the_first_figures_there_is_a_table_all_the_same() -> None:
    nothing = View(None, "", [Lamp("web", up=False)], "http://127.0.0.1:8080", LISBON)
    assert "Ringeliste starts" in drawn(nothing, 80)[0]
    assert line(nothing) == "starting; down: web"


def test_one_line_says_the_same() -> None:
    said = line(view())
    assert "Mon 02 Mar 14:37 at 60x" in said
    assert "size 37,035" in said
    assert "down: dialer, restarted 2 times" in said


def test_hours_without_calls_between_others_are_there() -> None:
    worked = [Hour(AT.replace(hour=hour, minute=0), 10, 1, 0) for hour in (9, 12)]
    shown = Figures(AT, 60, [], worked, None, True).per_hour()
    assert [(at.hour, hour.attempts if hour else 0) for at, hour in shown] == [
        (9, 10), (10, 0), (11, 0), (12, 10), (13, 0), (14, 0),
    ]  # fmt: skip


@given(st.floats(0, 1), st.integers(1, 60))
def test_a_bar_is_as_long_as_its_share_and_never_nothing_for_something(share: float, width: int) -> None:
    made = bar(share, width)
    assert len(made) <= width
    assert bool(made) == (share > 0)
    assert abs(len(made) - share * width) <= 1


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=5), st.integers(1, 60))
def test_stacked_parts_lose_no_letter(sizes: list[int], width: int) -> None:
    whole = max(sum(sizes), 1)
    made = stacked([(size, "") for size in sizes], whole, width)
    assert len(made) == (width if sum(sizes) else 0)


@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_a_sparkline_has_a_column_for_each_value(values: list[int]) -> None:
    made = sparkline(values)
    assert len(made) == len(values)
    assert all((column == " ") == (value == 0) for column, value in zip(made, values, strict=True))


def test_a_taken_port_is_stepped_over_or_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert usable_port("127.0.0.1", port, may_move=True) > port
        with pytest.raises(Conflict, match="RINGELISTE_WEB_PORT"):
            usable_port("127.0.0.1", port, may_move=False)
    assert usable_port("127.0.0.1", 0, may_move=False) > 0


def test_why_nobody_can_listen_is_said_and_nothing_else() -> None:
    """Seen to fail: "port 8080 of 203.0.113.1 is taken" was told of an address that is another machine's."""
    with pytest.raises(Conflict, match=r"port 8080 of 203\.0\.113\.1 .*cannot assign requested address"):
        usable_port("203.0.113.1", 8080, may_move=True)


def test_a_browser_on_this_machine_is_told_an_address_that_it_can_open() -> None:
    assert reachable_at("0.0.0.0", 80) == "http://127.0.0.1:80"  # noqa: S104
    assert reachable_at("::", 80) == "http://[::1]:80"
    assert reachable_at("example.org", 80) == "http://example.org:80"


def test_logs_are_readable_on_a_terminal() -> None:
    written = '{"event": "leads", "level": "info", "timestamp": "2026-03-02T14:37:11Z", "crm": 1, "pid": 7}'
    assert readable("scheduler", written).plain == "scheduler 14:37:11 info    leads crm=1"
    assert readable("web", "no JSON").plain == "web       no JSON"

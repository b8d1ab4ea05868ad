"""Logs: what a line carries, and that no telephone number is ever in one."""

import io
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from models.masking import mask_text, mask_values
from wiring.logs import bound, configure
from wiring.settings import Settings

NUMBER = "+351912345678"
MASKED = "+3519*****78"
LEASE = uuid.UUID("0195d1d0-7a00-7abc-8def-0123456789ab")

Logging = Callable[[Literal["json", "console"]], io.StringIO]


@pytest.fixture
def logging_to() -> Iterator[Logging]:
    """Configure logging into a text; afterwards everything is as it was."""
    root = logging.getLogger()
    names = ["uvicorn", "dramatiq", "sqlalchemy", "apscheduler", "httpx", "alembic"]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()

    def start(look: Literal["json", "console"]) -> io.StringIO:
        stream = io.StringIO()
        configure(Settings(log=look), "test", stream=stream)
        return stream

    yield start
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, its_level in before:
        logger.setLevel(its_level)
    structlog.configure(**config)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# What a line carries


def test_a_line_is_a_json_object(logging_to: Logging) -> None:
    stream = logging_to("json")
    structlog.get_logger("calling").info("leased", count=3)
    (line,) = lines(stream)
    assert line["event"] == "leased"
    assert (line["count"], line["level"], line["logger"], line["process"]) == (3, "info", "calling", "test")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC


def test_what_is_bound_is_in_every_line_of_the_block(logging_to: Logging) -> None:
    stream = logging_to("json")
    log = structlog.get_logger("calling")
    with bound(crm=1, assignment=2):
        with bound(lease=LEASE, task="t-9"):
            log.info("inside")
        log.info("between")
    log.info("outside")
    inside, between, outside = lines(stream)
    assert (inside["crm"], inside["assignment"], inside["lease"], inside["task"]) == (1, 2, str(LEASE), "t-9")
    assert (between["crm"], "lease" in between) == (1, False)
    assert "crm" not in outside


def test_a_block_that_binds_nothing_new_keeps_the_old(logging_to: Logging) -> None:
    stream = logging_to("json")
    with bound(crm=1), bound(assignment=2):
        structlog.get_logger("calling").info("inside")
    assert lines(stream)[0]["crm"] == 1


@pytest.mark.parametrize("name", ["uvicorn.access", "dramatiq.worker", "sqlalchemy.pool", "apscheduler"])
def test_the_libraries_lines_look_like_ours(logging_to: Logging, name: str) -> None:
    stream = logging_to("json")
    with bound(crm=1):
        logging.getLogger(name).error("%s took %d", "it", 3)
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["crm"]) == ("it took 3", name, 1)


def test_chatter_of_libraries_is_left_out(logging_to: Logging) -> None:
    stream = logging_to("json")
    logging.getLogger("httpx").info("HTTP Request")
    logging.getLogger("sqlalchemy.engine").info("select 1")
    logging.getLogger("apscheduler.executors").info("job ran")
    structlog.get_logger("calling").debug("detail")
    assert lines(stream) == []


def test_for_people_a_line_is_not_json(logging_to: Logging) -> None:
    stream = logging_to("console")
    structlog.get_logger("calling").info("leased", count=3)
    assert "leased" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


# No numbers


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (NUMBER, MASKED),
        ("+1234567", "+1*****67"),
        ("rang +4722222222.", "rang +4722*****22."),
        ("+351 912 345 678", MASKED),
        ("+351-912-345-678", MASKED),
        ("+1 (202) 555-0143", "+1202*****43"),
        ("GET /suppress/%2B351912345678 200", "GET /suppress/%2B3519*****78 200"),
        ("tel:+351912345678;ext=1", f"tel:{MASKED};ext=1"),
        (f"Key (e164)=({NUMBER}) already exists", f"Key (e164)=({MASKED}) already exists"),
        (f"{NUMBER},{NUMBER}", f"{MASKED},{MASKED}"),
        (f"x{NUMBER}y", f"x{MASKED}y"),
        ("rang 00351912345678.", "rang 003519*****78."),
        ("00 351 912 345 678", "00 3519*****78"),
        ("INVITE sip:351912345678@10.0.0.1", "INVITE sip:3519*****78@10.0.0.1"),
        ("sip:00351912345678@host", "sip:003519*****78@host"),
        ("SIP/tel:912345678;phone-context=+351", "SIP/tel:912*****78;phone-context=+351"),
        ("GET /customers?e164=912345678 200", "GET /customers?e164=912*****78 200"),
        ("phone=912 345 678, asked", "phone=912*****78, asked"),
        ("{'phone': '912345678', 'n': 4711}", "{'phone': '912*****78', 'n': 4711}"),
        ('{\\"telephone_number\\": 912345678}', '{\\"telephone_number\\": 912*****78}'),
        ("Key (e164)=(912345678) exists", "Key (e164)=(912*****78) exists"),
    ],
)
def test_a_number_keeps_its_head_and_tail(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        str(LEASE),
        "2026-03-02T12:00:00.123456+00:00",
        "2026-03-02T12:00:00+0530",
        "customer 351912345678",
        "1772452800000",
        "crm=1 assignment=1234567890",
        "1+1=2",
        "3.5e+10",
        "0.00123456789",
        "at 12:00:00 351912345 rows",
        "trace 0012345678abcdef0012345678abcdef",
        "hotel: 1234567, microphone=1234567",
        "phone: 2026-03-02 12:00:00",
        "phone_id=1234567",
        "00351912-3456-4abc-8def-0123456789ab",
        MASKED,
        "phone=912*****78",
    ],
)
def test_ids_and_times_stay(text: str) -> None:
    assert mask_text(text) == text


numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
anything = st.text(max_size=30)


@given(numbers)
def test_six_digits_are_left_at_most_and_four_hidden_at_least(number: str) -> None:
    """Planted: a pattern that stops after 12 digits; a longer number's end was printed."""
    left = sum(character.isdigit() for character in mask_text(number))
    assert left <= min(6, len(number) - 1 - 4)


@given(st.lists(st.tuples(anything, numbers), min_size=1, max_size=4), anything)
def test_no_number_survives_in_any_text(parts: list[tuple[str, str]], end: str) -> None:
    text = "".join(before + number for before, number in parts) + end
    masked = mask_text(text)
    for _, number in parts:
        assert number not in masked
        assert number[1:] not in masked or number[1:] in "".join(before for before, _ in parts) + end


national = st.from_regex(r"[1-9][0-9]{8}|[1-9][0-9]{2}( [0-9]{3}){2}", fullmatch=True)
international = st.from_regex(r"[1-9][0-9]{8,13}", fullmatch=True)
told = st.one_of(
    st.tuples(st.sampled_from(["00", "00 ", "sip:", "sip:00", "sips:", "tel:", "tel://"]), international),
    st.tuples(
        st.sampled_from(
            ["tel:", "?e164=", "phone=", "phone: ", "&msisdn=", "mobile%3D", '"phone": "', "e164)=("]
        ),
        national,
    ),
)
around = st.sampled_from(["", " ", ", ", '"', "(", ")", "@host ", ";", "&", "\n", " rang ", "."])


@given(around, told, around)
def test_what_stands_in_front_tells_a_number_without_a_plus(
    before: str, number: tuple[str, str], after: str
) -> None:
    """Planted: each of the patterns left out; and digits taken in one piece only, so that groups passed."""
    masked = mask_text(before + "".join(number) + after)
    shown = "".join(filter(str.isdigit, masked)).removeprefix("00").removeprefix("164")
    digits = number[1].replace(" ", "")
    assert digits not in shown
    assert len(shown) <= 6
    assert mask_text(masked) == masked


SINCE = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is the strategy's
ours = st.sampled_from(
    ["crm", "assignment", "segment", "customer", "dialer", "rebuild", "ms", "count", "size"]
)
figures = st.one_of(
    st.uuids().map(str),
    st.datetimes(SINCE).map(str),
    st.datetimes(SINCE, timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    st.integers(0, 10**15).map(str),
    st.floats(0, 10**9).map(repr),
    st.integers(0, 10**12).map(lambda n: f"{n:,}"),
)


@given(st.lists(st.tuples(ours, st.sampled_from(["=", ": ", '": "', " "]), figures), min_size=1, max_size=4))
def test_ids_and_ordinary_figures_stay(parts: list[tuple[str, str, str]]) -> None:
    """Planted: "00" without a look at what is before it; fractions and times were masked."""
    text = ", ".join("".join(part) for part in parts)
    assert mask_text(text) == text


@given(
    st.recursive(
        numbers | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything | numbers, inner, max_size=3),
        max_leaves=8,
    ),
    numbers,
)
def test_no_number_survives_in_any_depth(value: Any, number: str) -> None:
    shown = json.dumps(mask_values({"payload": [value, number], number: (number,)}))
    assert number not in shown


@pytest.mark.parametrize("key", ["e164", "phone", "msisdn"])
def test_under_a_number_s_own_key_no_plus_is_needed(key: str) -> None:
    assert mask_values({key: "351912345678"}) == {key: MASKED.removeprefix("+")}
    assert mask_values({key: 351912345678}) == {key: MASKED.removeprefix("+")}
    assert mask_values({key: None}) == {key: None}


class Odd:
    """Not a text until somebody prints it."""

    def __repr__(self) -> str:
        return f"<odd {NUMBER}>"


@pytest.mark.parametrize("look", ["json", "console"])
def test_no_number_leaves_by_any_way(logging_to: Logging, look: Literal["json", "console"]) -> None:
    """Message, value, key, depth, object, traceback, chained cause, another library, a bound value."""
    stream = logging_to(look)
    log = structlog.get_logger("calling")
    with bound(who=NUMBER):
        log.info(
            f"rang {NUMBER}", number=NUMBER, deep={"a": [{NUMBER: (NUMBER,)}]}, odd=Odd(), phone=NUMBER[1:]
        )
        logging.getLogger("uvicorn.access").info('"GET /v1/%s" %d', NUMBER.replace("+", "%2B"), 200)
        logging.getLogger("dramatiq").warning("args=%r", (NUMBER, {"e164": NUMBER}))
        try:
            raise_with_a_number()
        except RuntimeError:
            log.exception("failed", e164=NUMBER)
            logging.getLogger("sqlalchemy").exception("failed")
    written = stream.getvalue()
    assert "912345678" not in written
    assert "3519*****78" in written
    assert written.count("RuntimeError") >= 2
    assert written.count("ValueError") >= 2


def test_a_traceback_told_later_is_written(logging_to: Logging) -> None:
    """A library may log an error after it was handled. Planted: the masking copied its triple away; fails."""
    stream = logging_to("json")
    try:
        raise_with_a_number()
    except RuntimeError as error:
        caught = error
    logging.getLogger("dramatiq").error("failed", exc_info=caught)
    assert "RuntimeError: cannot ring +3519*****78" in lines(stream)[0]["exception"]


def raise_with_a_number() -> None:
    secret = NUMBER
    try:
        raise ValueError(f"{secret} is taken")
    except ValueError as error:
        raise RuntimeError(f"cannot ring {secret}") from error

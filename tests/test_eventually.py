"""The helper that waits: it sees what comes late, gives up on what never does; nobody else sleeps."""

import asyncio
import re
from itertools import count
from pathlib import Path

import pytest
from eventually import eventually


def test_what_comes_late_is_seen() -> None:
    looks = count(1)

    async def third() -> bool:
        return next(looks) > 2

    assert asyncio.run(eventually(third)) is True
    assert asyncio.run(eventually(lambda: next(looks))) == 4


def test_what_never_comes_fails_in_time_and_says_what() -> None:
    """Planted: no deadline; hangs."""
    with pytest.raises(AssertionError, match=r"nobody came, within 0\.05 s"):
        asyncio.run(asyncio.wait_for(eventually(lambda: False, 0.05, "nobody came"), 5))


def test_no_other_test_sleeps() -> None:
    """A sleep is too short on a busy machine and too long on a quiet one. Planted: one in a test; found."""
    sleeps = re.compile(r"(asyncio|time)\.sle" + r"ep\(|import sle" + r"ep")
    files = Path(__file__).parent.glob("*.py")
    assert [file.name for file in files if sleeps.search(file.read_text())] == ["eventually.py"]

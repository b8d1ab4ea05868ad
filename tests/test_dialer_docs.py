"""The page about the wire is true: its example runs, its tables name what there is."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dialer_bench import RedisBench, ids, offered
from redis import Redis

from dialer_adapter.values import EVENT_KINDS, OrderState
from dialer_adapter.wire import DIALER_SCRIPTS, script_text
from models.outcomes import Outcome

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "redis-queue.md").read_text(encoding="utf-8")
SCRIPTS = sorted(path.stem for path in (ROOT / "dialer_adapter" / "lua").glob("*.lua"))
USER = "dialer-of-the-docs"


def example() -> str:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_a_dialer(redis_url: str, tmp_path: Path) -> None:
    async def scene() -> None:
        bench = RedisBench(redis_url, tmp_path)
        await bench.dialer.beat()
        orders = await offered(bench, 3)
        run = await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", example(), redis_url)
        assert await run.wait() == 0
        told = (await bench.dialer.events("")).events
        assert [(event.kind, event.lease_id) for event in told] == [
            *[("taken", lease) for lease in ids(orders)[:2]],
            *[(kind, lease) for lease in ids(orders)[:2] for kind in ("ringing", "ended")],
        ]
        assert {status.state for status in await bench.dialer.status(ids(orders))} == {
            OrderState.ENDED,
            OrderState.QUEUED,
        }
        assert (await bench.dialer.capacity()).wanted == 5
        await bench.aclose()

    asyncio.run(scene())


def test_the_rights_named_are_enough(redis_url: str, redis: Redis, tmp_path: Path) -> None:
    """A user with just the rights of the page runs the example. Planted a right less: it fails."""
    rights = re.findall(r"[+][a-z|]+", PAGE.partition("## Running it")[2])
    prefix = "ringeliste:{1.robot}"
    redis.acl_setuser(
        USER, enabled=True, passwords=["+secret"], keys=[f"{prefix}*"], commands=[*rights, "+select"]
    )
    if redis_url.startswith("unix"):
        url = redis_url.replace("unix://", f"unix://{USER}:secret@")
    else:
        url = redis_url.replace("://", f"://{USER}:secret@")

    async def scene() -> None:
        bench = RedisBench(redis_url, tmp_path)
        await bench.dialer.beat()
        await offered(bench, 3)
        await bench.aclose()

    try:
        asyncio.run(scene())
        run = subprocess.run(
            [sys.executable, "-c", example(), url], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr[-600:]
    finally:
        redis.acl_deluser(USER)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_named(script: str) -> None:
    if script != "common":
        assert f"`{script}`" in PAGE
        assert script_text(script).startswith("-- Stands in front of every script")


@pytest.mark.parametrize("script", DIALER_SCRIPTS)
def test_what_a_dialer_runs_has_a_row(script: str) -> None:
    assert f"| `{script}` |" in PAGE


def test_words_and_keys_are_all_named() -> None:
    for word in [*Outcome, *EVENT_KINDS[:-1]]:
        assert f"`{word}`" in PAGE
    common = script_text("take").partition("local P = KEYS[1]")[0]
    for key in re.findall(r"P:([a-z]+)", common):
        assert f"`:{key}" in PAGE

"""Wires between processes that can be held, slowed, deafened and cut, as their owner sees them."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self, cast

from wires_proxy import How

PROXY = Path(__file__).with_name("wires_proxy.py")


class Wires:
    """The proxy as its owner sees it. `fronts`: name -> (where it answers, whom it calls)."""

    def __init__(self, fronts: Mapping[str, tuple[str, str]]) -> None:
        places = [f"{name}={here}>{there}" for name, (here, there) in fronts.items()]
        self._proxy = subprocess.Popen(
            [sys.executable, str(PROXY), *places], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._last = 0
        self._heard()

    def begin(self, front: str, how: How, groups: Sequence[int] | None = None) -> tuple[int, int]:
        """Bad weather on a front's wires, for callers of these groups; its id, and how many it hit."""
        self._last += 1
        wanted = {"id": self._last, "front": front, "groups": groups, "how": how}
        return self._last, self._tell(wanted)

    def lift(self, weather: int) -> int:
        """It is over; how many wires it had still concerned."""
        return self._tell({"lift": weather})

    def close(self) -> None:
        """Take all wires down."""
        if self._proxy.stdin:
            self._proxy.stdin.close()
        self._proxy.wait(10)
        if self._proxy.stdout:
            self._proxy.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tell(self, what: Mapping[str, Any]) -> int:
        pipe = cast("IO[str]", self._proxy.stdin)
        pipe.write(json.dumps(what) + "\n")
        pipe.flush()
        return self._heard()

    def _heard(self) -> int:
        line = cast("IO[str]", self._proxy.stdout).readline()
        assert line, "the proxy has died"
        return int(json.loads(line)["hit"])

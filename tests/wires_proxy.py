"""Wires between processes that can be held, slowed, deafened and cut: a small proxy in a process of its own.

    python wires_proxy.py db=/a/.s.PGSQL.5432>/b/.s.PGSQL.5432 web=127.0.0.1:4000>127.0.0.1:5000

It is told on its standard input, a JSON object a line, and answers each with a line: {"hit": connections}.
`{"id": 1, "front": "db", "groups": [123], "how": "stall"}` lasts until `{"lift": 1}`; groups are the process
groups of those who called (null: everybody; known on unix sockets only). It ends with its input.

stall: nothing passes, either way, and nothing is lost. slow: everything passes, but late. mute: what is asked
arrives, the answers do not, and in the end the connection is gone. cut: connections are gone at once, and who
comes meanwhile is not let in.
"""

import asyncio
import json
import os
import socket
import struct
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, cast

How = Literal["stall", "slow", "mute", "cut"]
SLOW_SECONDS = 0.03
"""What a slow wire adds to each message: a hand-out of eight questions takes half a second longer."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What is wrong with the wires of one front."""

    front: str
    groups: frozenset[int] | None
    how: How


class End(asyncio.Protocol):
    """One side of a wire: whoever called, or the server. What it hears goes to the other side."""

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire
        self.transport: asyncio.Transport | None = None
        self.held: list[bytes] = []
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self.transport = cast("asyncio.Transport", transport)
        self._wire.made(self)

    def data_received(self, data: bytes) -> None:
        """Pass it on, as the weather allows."""
        hows = self._wire.hows
        if "mute" in hows and self is self._wire.server:
            return
        self.held.append(data)
        if "stall" in hows:
            return
        if "slow" in hows:
            if self._late is None:
                self._late = asyncio.get_running_loop().call_later(SLOW_SECONDS, self.pass_on)
        elif self._late is None:
            self.pass_on()

    def pass_on(self) -> None:
        """Let go what was held, unless it is to be held on."""
        self._late = None
        other = self._wire.other(self).transport
        if self.held and other and "stall" not in self._wire.hows:
            other.writelines(self.held)
            self.held.clear()

    def pause_writing(self) -> None:
        """asyncio's: this side reads too slowly."""
        if other := self._wire.other(self).transport:
            other.pause_reading()

    def resume_writing(self) -> None:
        """asyncio's."""
        other = self._wire.other(self).transport
        if other and not other.is_closing():
            other.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """What is still held is let go first, so that a last word arrives."""
        self._wire.ended(self)


class Wire:
    """One connection and its copy to the server."""

    def __init__(self, board: "Board", front: str, target: "Place") -> None:
        self._board, self.front, self._target = board, front, target
        self.caller, self.server = End(self), End(self)
        self.group: int | None = None
        self.hows: frozenset[How] = frozenset()
        self._calling: asyncio.Task[None] | None = None

    def other(self, end: End) -> End:
        """The other side."""
        return self.server if end is self.caller else self.caller

    def made(self, end: End) -> None:
        """A side is there: the caller first, then the server's."""
        assert end.transport
        if end is self.server:
            self.caller.pass_on()
            if self.caller.transport is None or self.caller.transport.is_closing():
                end.transport.close()  # whoever called has hung up meanwhile
            return
        self.group = group_of(end.transport.get_extra_info("socket"))
        self._board.wires.add(self)
        self.look()
        if "cut" in self.hows:
            self.cut()
        else:
            self._calling = asyncio.get_running_loop().create_task(self._call())

    async def _call(self) -> None:
        try:
            await self._target.connect(self.server)
        except OSError:  # nobody is there: the caller hears it as it would have
            self.cut()

    def look(self) -> None:
        """What is wrong with this wire now."""
        self.hows = frozenset(
            one.how
            for one in self._board.weather.values()
            if one.front == self.front and (one.groups is None or self.group in one.groups)
        )

    def cut(self) -> None:
        """Both sides hear at once that it is gone."""
        self._board.wires.discard(self)
        for end in (self.caller, self.server):
            if end.transport:
                end.transport.abort()

    def ended(self, end: End) -> None:
        """One side has gone: the other hears what it said last, and that it went."""
        self._board.wires.discard(self)
        end.pass_on()
        if transport := self.other(end).transport:
            transport.close()


class Board:
    """All wires, and the weather."""

    def __init__(self) -> None:
        self.wires: set[Wire] = set()
        self.weather: dict[int, Weather] = {}

    def obey(self, told: Mapping[str, Any]) -> int:
        """Change the weather; how many connections it concerns."""
        if "lift" in told:
            gone = self.weather.pop(told["lift"])
            return self._change(gone, lifted=True)
        groups = None if told["groups"] is None else frozenset(told["groups"])
        begun = self.weather[told["id"]] = Weather(told["front"], groups, told["how"])
        return self._change(begun, lifted=False)

    def _change(self, what: Weather, *, lifted: bool) -> int:
        hit = 0
        for wire in list(self.wires):
            before = wire.hows
            wire.look()
            if before == wire.hows:
                continue
            hit += 1
            if what.how == ("mute" if lifted else "cut"):
                wire.cut()
            wire.caller.pass_on()
            wire.server.pass_on()
        return hit


@dataclass(frozen=True, slots=True)
class Place:
    """A unix socket, or host:port."""

    text: str

    async def connect(self, end: End) -> None:
        """Call it."""
        loop = asyncio.get_running_loop()
        if self.text.startswith("/"):
            await loop.create_unix_connection(lambda: end, self.text)
        else:
            host, _, port = self.text.rpartition(":")
            await loop.create_connection(lambda: end, host, int(port))

    async def listen(self, board: Board, front: str, target: "Place") -> None:
        """Answer here for `target`."""
        loop = asyncio.get_running_loop()

        def answered() -> End:
            return Wire(board, front, target).caller

        if self.text.startswith("/"):
            await loop.create_unix_server(answered, self.text)
        else:
            host, _, port = self.text.rpartition(":")
            await loop.create_server(answered, host, int(port))


def group_of(called: socket.socket) -> int | None:
    """The process group of who is at the other end of a unix socket."""
    if called.family != socket.AF_UNIX:
        return None
    told = called.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    with suppress(ProcessLookupError):
        return os.getpgid(struct.unpack("3i", told)[0])
    return None


async def serve(fronts: Iterable[str]) -> None:
    """Answer on every front until the input ends."""
    board = Board()
    for front in fronts:
        name, _, places = front.partition("=")
        here, _, there = places.partition(">")
        await Place(here).listen(board, name, Place(there))
    say({"hit": 0})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        say({"hit": board.obey(json.loads(line))})


def say(what: Mapping[str, Any]) -> None:
    """One line to whoever started us."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))

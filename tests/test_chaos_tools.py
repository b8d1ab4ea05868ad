"""What a chaos is judged by finds what is wrong, and nothing else; and its wires break as real ones do."""

import os
import socket
import socketserver
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic

import pytest
from chaos_faults import DECK, dealt
from processors import SAMPLE_SECONDS, Processors
from telephones import Ended, Exchange, Rang, Telephones, miscounted, too_soon, two_at_once
from wires import Wires
from world import wait_until

from ringeliste.embedded.processes import wait_until as became

pytestmark = pytest.mark.once

GAP = 300.0
SOON = 0.3
"""Wall seconds in which an answer would have come."""


def rang(lease: str, asked: float, at: float, *, customer: str = "ana", e164: str = "+351910000001") -> Rang:
    return Rang("robot-1", lease, customer, e164, asked, at)


def ten_times(wall: float) -> float:
    """Ten business seconds a second."""
    return wall * 10


def test_rings_inside_the_gap_are_found_by_customer_and_by_number() -> None:
    ana, her_other = rang("1", 0, 1), rang("2", 25, 26, e164="+351210000002")
    neighbour = rang("3", 29, 29.5, customer="bo")
    assert len(too_soon([ana, her_other], GAP, ten_times)) == 1
    assert len(too_soon([neighbour, ana], GAP, ten_times)) == 1
    assert too_soon([her_other, neighbour], GAP, ten_times) == []
    assert len(too_soon([ana, her_other, neighbour], GAP, ten_times)) == 2


def test_the_gap_counts_from_when_leave_was_asked_for() -> None:
    """The answer to the first was ten seconds on its way; whoever gave it counts from when it was given."""
    assert too_soon([rang("1", 0, 10), rang("2", 30, 31)], GAP, ten_times) == []
    assert too_soon([rang("1", 0, 10), rang("2", 29, 29.9)], GAP, ten_times) != []


def test_an_earlier_ring_hides_no_later_one() -> None:
    """Asked for first, and rung last: the gap is that of whoever was asked for last."""
    rings = [rang("1", 10, 10), rang("2", 0, 11), rang("3", 35, 35)]
    assert [found.split(":")[0] for found in too_soon(rings, GAP, ten_times)] == [
        "customer ana rung again too soon", "number +351910000001 rung again too soon",
    ] * 2  # fmt: skip


def test_one_lease_rings_once() -> None:
    assert "one lease" in too_soon([rang("1", 0, 0), rang("1", 100, 100)], GAP, ten_times)[0]


def test_two_calls_at_once_are_found_where_the_end_of_the_first_is_known() -> None:
    """The first note of an end counts; whoever comes after a kill notes it again."""
    rings = [rang("1", 0, 0), rang("2", 50, 50)]
    assert len(two_at_once(rings, [Ended("robot-1", "1", "sale", 60)])) == 2  # the customer, and the number
    assert two_at_once(rings, [Ended("x", "1", "sale", 60), Ended("x", "1", "sale", 40)]) == []
    assert two_at_once(rings, []) == []


def test_outcomes_are_held_against_attempts_both_ways() -> None:
    told, kept = {"1": "sale", "2": "busy", "3": "busy"}, {"1": "sale", "2": "no_answer", "4": "sale"}
    assert miscounted(told, told) == []
    assert [line.split(":")[0] for line in miscounted(told, kept)] == ["lease 2", "lease 3", "lease 4"]


def test_the_notes_are_read_as_they_come_and_half_a_line_is_not_there_yet(tmp_path: Path) -> None:
    one, exchange = Telephones(tmp_path / "robot-1.telephones", "robot-1"), Exchange(tmp_path)
    one.took("1", "ana")
    one.rang("1", "ana", "+351910000001", 5.0)
    exchange.look()
    with (tmp_path / "robot-1.telephones").open("ab") as file:
        file.write(b'{"kind": "ended", "who": "robot-1", "at": 9.0, "lease": "1", ')
        file.flush()
        exchange.look()
        assert exchange.ended == []
        file.write(b'"outcome": "sale"}\n')
    one.ended("1", "busy")
    exchange.look()
    assert [took.customer for took in exchange.took] == ["ana"]
    assert [ring.asked for ring in exchange.rang] == [5.0]
    assert exchange.outcomes() == {"1": "sale"}


def test_the_same_seed_deals_the_same_faults_and_each_kind_before_any_again() -> None:
    first, again = dealt(Random("7")), dealt(Random("7"))
    deal = [next(first).name for _ in range(2 * len(DECK))]
    assert deal == [next(again).name for _ in range(2 * len(DECK))]
    assert sorted(deal[: len(DECK)]) == sorted(deal[len(DECK) :]) == sorted(fault.name for fault in DECK)
    assert deal[: len(DECK)] != deal[len(DECK) :]


class Echo(socketserver.BaseRequestHandler):
    """Answers whatever it is told, and remembers it."""

    heard: bytes

    def handle(self) -> None:
        while data := self.request.recv(1000):
            Echo.heard += data
            self.request.sendall(data.upper())


@pytest.fixture
def wires(open_directory: Path) -> Iterator[Wires]:
    Echo.heard = b""
    with socketserver.ThreadingUnixStreamServer(str(open_directory / "there"), Echo) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with Wires({"echo": (str(open_directory / "here"), str(open_directory / "there"))}) as wires:
            yield wires
        server.shutdown()


@pytest.fixture
def caller(wires: Wires, open_directory: Path) -> Iterator[socket.socket]:
    with call(open_directory) as caller:
        assert asked(caller, b"hello") == b"HELLO"
        yield caller


def call(folder: Path) -> socket.socket:
    caller = socket.socket(socket.AF_UNIX)
    caller.settimeout(10)
    caller.connect(str(folder / "here"))
    return caller


def asked(caller: socket.socket, what: bytes) -> bytes:
    """The answer; nothing if the connection is gone."""
    try:
        caller.sendall(what)
        return caller.recv(1000)
    except (BrokenPipeError, ConnectionResetError):
        return b""


def silent(caller: socket.socket) -> bool:
    """Whether no answer comes, and the connection stays."""
    caller.settimeout(SOON)
    try:
        return caller.recv(1000) is None
    except TimeoutError:
        return True
    finally:
        caller.settimeout(10)


def test_a_stall_holds_everything_and_loses_nothing(
    wires: Wires, caller: socket.socket, open_directory: Path
) -> None:
    weather, hit = wires.begin("echo", "stall")
    caller.sendall(b"one ")
    caller.sendall(b"two")
    with call(open_directory) as newcomer:
        newcomer.sendall(b"new")
        assert hit == 1
        assert silent(caller)
        assert Echo.heard == b"hello"
        assert wires.lift(weather) == 2
        assert caller.recv(1000) == b"ONE TWO"
        assert newcomer.recv(1000) == b"NEW"


def test_who_is_deaf_is_heard_and_loses_the_connection_in_the_end(
    wires: Wires, caller: socket.socket
) -> None:
    weather, _ = wires.begin("echo", "mute")
    caller.sendall(b"commit")
    assert silent(caller)
    wait_until(lambda: Echo.heard == b"hellocommit")
    wires.lift(weather)
    assert asked(caller, b"again") == b""


def test_who_is_cut_off_hears_it_and_comes_in_again_when_it_is_over(
    wires: Wires, caller: socket.socket, open_directory: Path
) -> None:
    weather, hit = wires.begin("echo", "cut")
    assert hit == 1
    assert asked(caller, b"still there?") == b""
    with call(open_directory) as refused:
        assert asked(refused, b"let me in") == b""
    wires.lift(weather)
    with call(open_directory) as again:
        assert asked(again, b"again") == b"AGAIN"


def test_a_slow_wire_keeps_the_order(wires: Wires, caller: socket.socket) -> None:
    wires.begin("echo", "slow")
    for word in (b"a", b"b", b"c"):
        caller.sendall(word)
    answer = b""
    while len(answer) < 3:
        answer += caller.recv(1000)
    assert answer == b"ABC"


def test_the_weather_is_that_of_some_callers_only(wires: Wires, caller: socket.socket) -> None:
    assert wires.begin("echo", "stall", [os.getpgid(0) + 1])[1] == 0
    assert asked(caller, b"still here") == b"STILL HERE"
    assert wires.begin("echo", "cut", [os.getpgid(0)])[1] == 1


def test_what_we_do_ourselves_is_not_taken_for_others() -> None:
    """What a process of ours takes is others' for who does not name it."""
    stop = Event()

    def toil() -> None:
        while not stop.is_set():
            sum(range(10_000))

    ours, none = Processors(lambda: [os.getpid()]), Processors(list)
    worker = Thread(target=toil, daemon=True)
    worker.start()
    try:
        begun = monotonic()
        assert became(lambda: monotonic() > begun + 2.5 * SAMPLE_SECONDS, 10)
        now = monotonic()
        assert 1 >= none.others(begun, now) > ours.others(begun, now) >= 0
        assert none.stretch(begun, now) >= ours.stretch(begun, now) >= 1
    finally:
        stop.set()
        worker.join()
        ours.stop()
        none.stop()

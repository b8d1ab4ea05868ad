"""What the causes of dialers come to: shipped, said otherwise, and what lay aside is counted late (P4)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interleaving import acting_after, acting_before
from sqlalchemy import text
from test_inbox import hear, problems, results, sent
from test_outcomes import violations
from test_set_aside import waiting
from world import NOON, World

from calling.dialers import causes as reading
from calling.dialers import inbox, inbox_sql, laying_aside, putting_back
from calling.dialers.causes import cause_changes, causes, known_causes
from calling.dialers.editing_causes import Edited, set_causes
from calling.dialers.inbox import Told
from calling.dialers.results import Unusable, normal, result_of
from calling.dialers.set_aside import look_at, set_aside, unseen
from calling.dialers.shipped_causes import read_shipped, shipped
from calling.handout.reaper import reap
from models.errors import BadInput, BadValues, Conflict, NotFound
from models.outcomes import Outcome
from scheduler.subjects import dialers_told

HOUR = timedelta(hours=1)
KARI: dict[str, Any] = {"author": "Kari", "reason": "the new trunk says so"}


def outcomes_of(adapter: str) -> Mapping[str, Outcome]:
    return {cause: row.outcome for cause, row in shipped(adapter).items()}


def asterisk(response: str, reason: int, dial: str, hangup: int | None, sip: int | None = None) -> list[str]:
    """What Asterisk told of a call, as docs/causes.md has a dialer put it: the surest first."""
    return [
        *(["originate success"] if response == "Success" else []),
        *(["dial answer"] if dial == "ANSWER" else []),
        *([f"Hangup {hangup}"] if hangup is not None else []),
        *([f"sip {sip}"] if sip else []),
        *([f"dial {dial}"] if dial else []),
        f"reason {reason}",
        *(["originate failure"] if response == "Failure" else []),
    ]


MEASURED = [
    # A Local channel: OriginateResponse, its reason, DialEnd, the hangup of our leg.
    (("Success", 4, "ANSWER", 16), "answered"),
    (("Failure", 0, "NOANSWER", 19), "no_answer"),
    (("Failure", 3, "", 19), "no_answer"),  # our own time was up
    (("Failure", 5, "BUSY", 0), "busy"),
    (("Failure", 8, "CONGESTION", 0), "congestion"),
    (("Failure", 0, "NOANSWER", 1), "invalid_number"),
    (("Failure", 0, "NOANSWER", 0), "failed"),  # we hung up while it rang, without a cause
    (("Failure", 0, "NOANSWER", 26), "no_answer"),  # and with one
    (("Failure", 0, "", 0), "failed"),  # no such context
    (("Failure", 0, "", None), "failed"),  # no such technology
    # PJSIP: the reason is 0 for busy and congestion.
    (("Success", 4, "ANSWER", 16, None), "answered"),
    (("Failure", 0, "NOANSWER", 19, 480), "no_answer"),
    (("Failure", 3, "", 19, 480), "no_answer"),
    (("Failure", 0, "BUSY", 17, 486), "busy"),
    (("Failure", 0, "CONGESTION", 34, 503), "congestion"),
    (("Failure", 0, "NOANSWER", 1, 404), "invalid_number"),
]


@pytest.mark.parametrize(("told", "outcome"), MEASURED, ids=str)
@pytest.mark.parametrize("adapter", ["asterisk", "redis_queue"])
def test_what_asterisk_was_measured_to_tell(adapter: str, told: Any, outcome: str) -> None:
    """Planted: "dial noanswer" as no answer; "hangup 0" as failed, so that busy was; each seen to fail."""
    assert result_of({"cause": asterisk(*told)}, outcomes_of(adapter))[0] == outcome


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ("N NA", "no_answer"), ("B AB", "busy"), ("A AA AM AL", "machine"), ("DC ADC", "invalid_number"),
        ("DROP PDROP XDROP", "abandoned"), ("PU", "answered"), ("SALE", "sale"), ("NI", "no_sale"),
        ("CALLBK CBHOLD", "follow_up"), ("DNC DNCL DNCC", "do_not_call"), ("TFHCCL", "failed"),
        ("NEW QUEUE INCALL DISPO ERI", None),
    ],
)  # fmt: skip
def test_statuses_of_vicidial(statuses: str, outcome: str | None) -> None:
    """What an agent's dead browser leaves is nobody's guess."""
    known = outcomes_of("vicidial")
    assert {known.get(f"vicidial {one}".lower()) for one in statuses.split()} == {outcome}


def test_shipped_rows_are_read_strictly() -> None:
    group = '[[group]]\nadapters = ["a"]\nevidence = "measured"\nsource = "s"\n[group.outcomes]\n'
    assert read_shipped(f'{group}"x 1" = "busy"')["a"]["x 1"].outcome is Outcome.BUSY
    for wrong in ('"X 1" = "busy"', '" x" = "busy"', '"x 1" = "bussy"', f'"x" = "busy"\n{group}"x" = "sale"'):
        with pytest.raises(BadInput):
            read_shipped(group + wrong)
    with pytest.raises(BadInput, match="evidence"):
        read_shipped(group.replace("measured", "hearsay") + '"x" = "busy"')
    assert shipped("nobody's") == {}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"result": "busy", "cause": "hangup 1"}, "busy"),  # our own word wins
        ({"cause": "  Hangup   17 "}, "busy"),
        ({"cause": ["nonsense", {"a": 1}, True, None, "SIP 486"]}, "busy"),
        ({"result": "Hangup 17"}, "busy"),  # told where the result stands
        ({"result": "nonsense", "cause": "hangup 17"}, "busy"),
        ({"cause": ["x"] * 10 + ["hangup 17"]}, "unknown_cause"),  # more than anybody reads
        ({"result": "nonsense", "cause": "hangup 999"}, "unknown_cause"),
        ({"result": "nonsense"}, "unknown_result"),
        ({"result": ["busy"]}, "unknown_result"),
        ({}, "unknown_result"),
    ],
    ids=str,
)
def test_our_own_word_then_the_first_that_is_known(body: dict[str, Any], found: str) -> None:
    known = outcomes_of("redis_queue")
    if found.startswith("unknown"):
        with pytest.raises(Unusable) as refused:
            result_of(body, known)
        assert refused.value.kind == found
    else:
        assert result_of(body, known)[0] == found


@given(st.text(max_size=400))
def test_a_cause_is_written_in_one_way(told: str) -> None:
    written = normal(told)
    assert written is None or (0 < len(written) <= 200 and normal(written) == written)
    assert (written is None) == (not told.split())


def test_a_cause_counts_as_its_outcome(world: World) -> None:
    """And what was odd of the telling is noted beside it."""
    dialer, (first, second) = sent(world, 2)
    hear(
        world, dialer,
        Told("1", first, "ended", NOON, {"cause": ["hangup 0", "dial BUSY"], "talk_seconds": 3}),
        Told("2", second, "ended", NOON, {"result": "??", "cause": "hangup 34"}),
    )  # fmt: skip
    assert results(world) == {first: ("busy", 3), second: ("congestion", None)}
    assert problems(world) == {"1": None, "2": "unknown result '??': by its cause"}
    assert waiting(world) == {}
    assert violations(world) == []


def test_what_lay_aside_is_counted_once_the_map_knows_it(world: World) -> None:
    """Late: its lease has ended unconfirmed by then. Told again it changes nothing.

    Planted: events left where they were; seen to fail.
    """
    dialer, (lease,) = sent(world, 1)
    odd = Told("1", lease, "ended", NOON + timedelta(seconds=40), {"cause": "carrier 7"})
    hear(world, dialer, Told("0", lease, "ringing", NOON, {}), odd, now=NOON + timedelta(seconds=41))
    assert waiting(world) == {"1": "unknown cause 'carrier 7'"}
    later = NOON + 2 * HOUR
    reap(world.opener(later))
    assert set_causes(world.opener(later), dialer, {"Carrier 7": "sale"}, **KARI) == Edited(1, 1)
    assert [(hint.kind, hint.subject) for hint in world.hints if hint.kind == "inbox"] == [("inbox", dialer)]
    assert waiting(world) == {}
    inbox.process_inbox(world.opener(later), dialer)
    assert results(world) == {lease: ("sale", None)}
    hear(world, dialer, odd, Told("2", lease, "ended", NOON, {"cause": "carrier 7"}), now=later + HOUR)
    with world.work(later) as work:
        row = work.run(
            text("select a.late, a.rung_at, p.state, p.status, p.attempts from attempt a, placement p")
        ).one()
        (seen,) = set_aside(work, 0, 10, seen=True)
    assert tuple(row) == (True, NOON, "closed", "sale", 1)
    assert (seen.seen_by, seen.note) == ("Kari", "counted by version 1 of the causes")
    assert (seen.problem_kind, seen.words) == ("unknown_cause", ["carrier 7"])
    assert violations(world, later) == []


def test_a_result_in_other_words_may_be_said_as_well(world: World) -> None:
    dialer, (first, second) = sent(world, 2)
    hear(
        world, dialer,
        Told("1", first, "ended", NOON, {"result": "SALE!"}),
        Told("2", second, "ended", NOON, {"result": "x"}),
    )  # fmt: skip
    assert set_causes(world.opener(), dialer, {"SALE!": "sale"}, **KARI).back == 1
    inbox.process_inbox(world.opener(), dialer)
    assert results(world) == {first: ("sale", None)}
    assert list(waiting(world)) == ["2"]


def test_what_somebody_has_looked_at_stays_looked_at(world: World) -> None:
    """Dismissed with a reason: no map counts it. And another dialer's words are its own."""
    dialer, (first, second) = sent(world, 2)
    hear(
        world,
        dialer,
        *(Told(str(n), lease, "ended", NOON, {"cause": "x"}) for n, lease in enumerate([first, second])),
    )
    with world.work() as work:
        look_at(work, set_aside(work, 0, 1)[0].id, author="Bo", note="a test call")
    assert set_causes(world.opener(), world.dialer(), {"x": "sale"}, **KARI).back == 0
    assert set_causes(world.opener(), dialer, {"x": "sale"}, **KARI).back == 1
    inbox.process_inbox(world.opener(), dialer)
    assert results(world) == {second: ("sale", None)}


@pytest.mark.parametrize(
    "statement", [inbox_sql.UNPROCESSED, inbox_sql.DONE, laying_aside._EVENTS, None], ids=range(4)
)
@pytest.mark.parametrize("hook", [acting_before, acting_after], ids=["before", "after"])
def test_edited_while_it_is_being_read(world: World, monkeypatch: Any, statement: Any, hook: Any) -> None:
    """However the two fall together it counts, once, and without anybody's hint.

    Planted: laid aside without the version by which it was read; the round ends without a look at what lies
    aside; each seen to fail.
    """
    dialer, (lease,) = sent(world, 1)
    inbox.journal_all(world.opener(), dialer, [Told("1", lease, "ended", NOON, {"cause": "x"})])

    def edited() -> None:
        set_causes(world.opener(), dialer, {"x": "sale"}, **KARI)

    hook(monkeypatch)(reading._READ if statement is None else statement, edited)
    inbox.process_inbox(world.opener(), dialer)
    assert results(world) == {lease: ("sale", None)}
    assert waiting(world) == {}
    assert problems(world) == {"1": None}


def test_dead_between_the_edit_and_the_counting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick finds it. Planted: only what is unprocessed is looked for; seen to fail."""
    dialer, (lease,) = sent(world, 1)
    hear(world, dialer, Told("1", lease, "ended", NOON, {"cause": "x"}))
    assert dialers_told(world.opener()) == []

    def dies() -> None:
        raise KeyboardInterrupt

    acting_before(monkeypatch)(putting_back._OLDER, dies)
    with pytest.raises(KeyboardInterrupt):
        set_causes(world.opener(), dialer, {"x": "sale"}, **KARI)
    assert list(waiting(world)) == ["1"]
    assert dialers_told(world.opener()) == [dialer]
    inbox.process_inbox(world.opener(), dialer)
    assert results(world) == {lease: ("sale", None)}
    assert dialers_told(world.opener()) == []


@pytest.mark.once
def test_a_thousand_that_nobody_knows_before_one_sale(world: World) -> None:
    """The sale counts; and once they are known, all of them, in batches. Those nobody knows are read once."""
    dialer, leases = sent(world, 3)
    odd = [Told(f"{n:04}", leases[n % 2], "ended", NOON, {"cause": f"x {n % 4}"}) for n in range(1_000)]
    hear(world, dialer, *odd, Told("sale", leases[2], "ended", NOON, {"result": "sale"}))
    assert results(world) == {leases[2]: ("sale", None)}
    with world.work() as work:
        assert unseen(work).kinds == {"unknown_cause": 1_000}
    assert set_causes(world.opener(), dialer, {"x 0": "busy", "x 1": "no_answer"}, **KARI).back == 500
    inbox.process_inbox(world.opener(), dialer)
    assert results(world) == {
        leases[2]: ("sale", None),
        leases[0]: ("busy", None),
        leases[1]: ("no_answer", None),
    }
    with world.work() as work:
        assert unseen(work).kinds == {"unknown_cause": 500}
        assert putting_back.put_back(work, dialer) == putting_back.NOBODY


def test_own_rows_go_before_what_is_shipped_and_are_taken_back(world: World) -> None:
    dialer = world.dialer()
    with world.work() as work:
        assert known_causes(work, dialer).outcomes == outcomes_of("redis_queue")
    assert set_causes(
        world.opener(), dialer, {"hangup 21": "no_sale", "trunk 9": "failed"}, **KARI
    ) == Edited(1, 0)
    with world.work() as work:
        known = known_causes(work, dialer)
        assert (known.outcomes["hangup 21"], known.outcomes["trunk 9"]) == ("no_sale", "failed")
        own = {
            one.cause: one.shipped and one.shipped.outcome for one in causes(work, dialer).causes if one.own
        }
    assert own == {"hangup 21": Outcome.NO_ANSWER, "trunk 9": None}
    set_causes(world.opener(), dialer, {"HANGUP 21": None}, **KARI)
    assert set_causes(world.opener(), dialer, {"trunk 9": "failed"}, **KARI).version == 2  # said already
    set_causes(world.opener(), dialer, {"trunk 8": "busy"}, whole=True, **KARI)
    with world.work() as work:
        known = known_causes(work, dialer)
        assert known.outcomes == {**outcomes_of("redis_queue"), "trunk 8": Outcome.BUSY}
        changes = cause_changes(work, dialer, 9)
        assert cause_changes(work, dialer, 9, before=2) == changes[2:]
    assert [(one.version, one.author, one.reason, one.lines) for one in changes] == [
        (3, "Kari", KARI["reason"], ["trunk 8: the default -> busy", "trunk 9: failed -> the default"]),
        (2, "Kari", KARI["reason"], ["hangup 21: no_sale -> the default"]),
        (1, "Kari", KARI["reason"], ["hangup 21: the default -> no_sale", "trunk 9: the default -> failed"]),
    ]


def test_nobody_overwrites_somebody_elses_and_all_that_is_wrong_is_named(world: World) -> None:
    dialer = world.dialer()
    set_causes(world.opener(), dialer, {"x": "busy"}, base=0, **KARI)
    with pytest.raises(Conflict, match="version 1 since you read 0"):
        set_causes(world.opener(), dialer, {"y": "busy"}, base=0, **KARI)
    with pytest.raises(NotFound):
        set_causes(world.opener(), dialer + 1, {"y": "busy"}, **KARI)
    wrong: dict[str, Any] = {
        "": "busy",
        "a\0b": "busy",
        "Y": "busy",
        "y ": "sale",
        "z": "bussy",
        "w": 7,
        "v" * 201: None,
    }
    with pytest.raises(BadValues) as refused:
        set_causes(world.opener(), dialer, wrong, author="Kari", reason=" ")
    told = dict(refused.value.problems)
    assert told.keys() == {"''", repr("a\0b"), "'y '", "'z'", "'w'", repr("v" * 201), "reason"}
    assert "did you mean busy?" in told["'z'"]
    assert "there twice" in told["'y '"]


def test_a_later_release_may_have_said_what_we_do_not_know(world: World) -> None:
    """It stops no inbox. Planted: read as it stands; seen to fail."""
    dialer, (lease,) = sent(world, 1)
    with world.work() as work:
        work.run(text("insert into dialer_cause values (:crm_id, :d, 'x', 'voicemail_of_2031')"), d=dialer)
    hear(world, dialer, Told("1", lease, "ended", NOON, {"cause": "x"}))
    assert list(waiting(world)) == ["1"]


def test_whose_cause_is_a_do_not_call_is_walled_before_the_ack(world: World) -> None:
    """P8. Planted: the word alone asked; seen to fail."""
    dialer = world.dialer()

    def asks(body: dict[str, Any], kind: str = "ended") -> bool:
        return inbox.asks_for_no_calls(world.opener(), dialer, [Told("1", UUID(int=1), kind, NOON, body)])

    assert asks({"result": "do_not_call"})
    assert asks({"cause": ["odd", "vicidial DNC"]})
    assert not asks({"result": "busy", "cause": "vicidial dnc"})
    assert not asks({"cause": "vicidial dnc"}, kind="key")
    assert not asks({"cause": "key 9"})
    set_causes(world.opener(), dialer, {"key 9": "do_not_call"}, **KARI)
    assert asks({"cause": "key 9"})


WORDS = st.sampled_from(["a", "b", "c", "d"])
TOLD = st.lists(WORDS, min_size=1, max_size=3, unique=True).map(tuple)
EDITS = st.dictionaries(WORDS, st.sampled_from(["busy", "no_answer", "sale", None]), min_size=1, max_size=3)


@pytest.mark.once
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(TOLD, EDITS), min_size=3, max_size=10))
def test_each_is_counted_when_a_word_of_its_own_is_first_known(
    world: World, steps: list[tuple[str, ...] | dict[str, str | None]]
) -> None:
    """Told and edited in any order: by the first of its words that is known then, once, and never another."""
    dialer, leases = sent(world, sum(isinstance(step, tuple) for step in steps))
    known: dict[str, str] = {}
    expected: dict[UUID, str] = {}
    aside: dict[UUID, tuple[str, ...]] = {}
    left = list(leases)
    for n, step in enumerate(steps):
        if isinstance(step, tuple):
            aside[lease := left.pop()] = step
            hear(world, dialer, Told(f"{n}", lease, "ended", NOON, {"cause": step}))
        else:
            known = {word: what for word, what in {**known, **step}.items() if what is not None}
            set_causes(world.opener(), dialer, step, **KARI)
            inbox.process_inbox(world.opener(), dialer)
        for lease, words in list(aside.items()):
            if found := [known[word] for word in words if word in known]:
                expected[lease] = found[0]
                del aside[lease]
    mine = {lease: result[0] for lease, result in results(world).items() if lease in leases}
    assert mine == expected
    with world.work() as work:
        lies = {row.lease_id for row in set_aside(work, 0, 1_000, dialer_id=dialer)}
    assert lies == set(aside)

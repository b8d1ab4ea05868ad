"""Zones of many that somebody vouches for at once; what is wrong with one line costs no other."""

from collections.abc import Sequence
from dataclasses import dataclass

from calling.customers.finding import ids_of
from calling.customers.verifying_refused import by_anyway
from calling.customers.vouching import Verified, Voice, Wish, afterwards, write
from calling.hours.verified import read_zone
from models.work import OpenWork

BATCH = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a list: a customer by external id, and the zone where they are. `line` counts from 1."""

    line: int
    external_id: str
    zone: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not taken, and why. `by_anyway`: it would be if `anyway` was said."""

    line: int
    external_id: str
    zone: str
    why: str
    by_anyway: bool = False


def verify_zones(
    open_work: OpenWork, said: Sequence[Said], *, author: str, source: str | None = None, anyway: bool = False
) -> tuple[list[Verified], list[Refused]]:
    """Vouch for the zones of many, in batches of 200, each a transaction; what was done, and what refused."""
    done: list[Verified] = []
    refused: list[Refused] = []
    wishes: list[tuple[Said, str]] = []
    seen: dict[str, int] = {}
    for one in said:
        first = seen.setdefault(one.external_id, one.line)
        try:
            if first != one.line:
                raise ValueError(f"line {first} has this customer already")
            wishes.append((one, read_zone(one.zone)))
        except ValueError as error:
            refused.append(Refused(one.line, one.external_id, one.zone, str(error)))
    voice = Voice(author, source, anyway)
    for start in range(0, len(wishes), BATCH):
        verified, wrong = _batch(open_work, wishes[start : start + BATCH], voice)
        done += verified
        refused += wrong
    return done, sorted(refused, key=lambda one: one.line)


def _batch(
    open_work: OpenWork, wishes: Sequence[tuple[Said, str]], voice: Voice
) -> tuple[list[Verified], list[Refused]]:
    with open_work() as work:
        ids = ids_of(work, [one.external_id for one, _ in wishes])
        known = {
            ids[one.external_id]: Wish(zone, one.reason) for one, zone in wishes if one.external_id in ids
        }
        written = write(work, known, voice)
    afterwards(open_work, written)
    refused = []
    for one, _ in wishes:
        error = written.refused.get(ids.get(one.external_id, 0))
        if one.external_id not in ids:
            refused.append(Refused(one.line, one.external_id, one.zone, "is no customer"))
        elif error is not None:
            refused.append(Refused(one.line, one.external_id, one.zone, error.message, by_anyway(error)))
    return written.done, refused

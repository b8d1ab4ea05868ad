"""What causes come to is changed by a manager, with a reason; what lay aside for it is counted, late."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import orjson
from sqlalchemy import Row, text

from calling.dialers.putting_back import put_all_back
from calling.dialers.results import LONGEST_WORD, normal
from models.errors import BadValues, Conflict, NotFound
from models.outcomes import Outcome
from models.work import OpenWork, Work

# Two who edit go one after the other.
_LOCK = text("""
    select causes_version from dialer where crm_id = :crm_id and id = :dialer_id for no key update
""")
_OWN = text("""
    select cause, outcome from dialer_cause where crm_id = :crm_id and dialer_id = :dialer_id
""")
_VERSION = text("""
    update dialer set causes_version = :version where crm_id = :crm_id and id = :dialer_id
""")
_SAY = text("""
    insert into dialer_cause (crm_id, dialer_id, cause, outcome)
    select :crm_id, :dialer_id, t.cause, t.outcome
      from unnest(cast(:causes as text[]), cast(:outcomes as text[])) as t(cause, outcome) order by t.cause
    on conflict (crm_id, dialer_id, cause) do update set outcome = excluded.outcome
""")
_UNSAY = text("""
    delete from dialer_cause where crm_id = :crm_id and dialer_id = :dialer_id and cause = any(:causes)
""")
_NOTE = text("""
    insert into dialer_cause_change (crm_id, dialer_id, version, before, after, reason, author, changed_at)
    values (:crm_id, :dialer_id, :version, cast(:before as jsonb), cast(:after as jsonb), :reason, :author,
            :now)
""")

LONGEST_REASON = 500
MOST_CAUSES = 1_000
"""Own rows of a dialer."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The version after it, and how many of those that lay aside are counted now."""

    version: int
    back: int


def set_causes(
    open_work: OpenWork, dialer_id: int, wanted: Mapping[str, Any], *, author: str, reason: str,
    base: int | None = None, whole: bool = False,
) -> Edited:  # fmt: skip
    """Say what causes come to; None: what is shipped again. `whole`: these are all of its own.

    It holds for what is read from then on, and for what lay aside: that is counted when this returns, or by
    the next round of the inbox. What was counted by another version stays as it was. `base`: the version that
    was read; somebody else's newer one is never overwritten. Raises BadValues with every problem, NotFound,
    Conflict.
    """
    asked = read_causes(wanted, reason)
    with open_work() as work:
        row = _locked(work, dialer_id, base)
        own = {one.cause: one.outcome for one in work.run(_OWN, dialer_id=dialer_id)}
        said = {cause: outcome for cause, outcome in asked.items() if outcome is not None}
        after = said if whole else {key: what for key, what in {**own, **asked}.items() if what is not None}
        if len(after) > MOST_CAUSES:
            raise BadValues([("causes", f"{len(after):,} are too many: at most {MOST_CAUSES:,} of your own")])
        version = row.causes_version
        if own != after:
            version += 1
            _write(work, dialer_id, own, after, version=version, author=author, reason=reason.strip())
    return Edited(version, put_all_back(open_work, dialer_id))


def _write(
    work: Work, dialer_id: int, own: Mapping[str, str], after: Mapping[str, str], *, version: int,
    author: str, reason: str,
) -> None:  # fmt: skip
    """The dialer is locked. Written down are those that changed."""
    changed = {cause for cause in {*own, *after} if own.get(cause) != after.get(cause)}
    before, said = ({c: what[c] for c in sorted(changed) if c in what} for what in (own, after))
    work.run(_UNSAY, dialer_id=dialer_id, causes=sorted(changed - said.keys()))
    work.run(_SAY, dialer_id=dialer_id, causes=list(said), outcomes=list(said.values()))
    work.run(_VERSION, dialer_id=dialer_id, version=version)
    work.run(
        _NOTE, dialer_id=dialer_id, version=version, before=orjson.dumps(before).decode(),
        after=orjson.dumps(said).decode(), reason=reason, author=author,
    )  # fmt: skip


def _locked(work: Work, dialer_id: int, base: int | None) -> Row[Any]:
    row = work.run(_LOCK, dialer_id=dialer_id).first()
    if row is None:
        raise NotFound("dialer", dialer_id)
    if base is not None and base != row.causes_version:
        raise Conflict(
            f"somebody changed it to version {row.causes_version} since you read {base}: see theirs first",
            version=row.causes_version, base=base,
        )  # fmt: skip
    return row


def read_causes(wanted: Mapping[str, Any], reason: str) -> dict[str, str | None]:
    """Cause -> outcome, None: what is shipped; causes as maps keep them. BadValues names every problem."""
    problems: list[tuple[str, str]] = []
    read: dict[str, str | None] = {}
    for told, outcome in wanted.items():
        cause = normal(told)
        if problem := _bad_cause(told, cause) or _bad_outcome(outcome):
            problems.append((repr(told), problem))
        elif cause in read:
            problems.append((repr(told), f"is there twice: as a cause it is {cause!r}"))
        elif cause is not None:
            read[cause] = outcome
    if not reason.strip() or len(reason) > LONGEST_REASON:
        problems.append(("reason", f"say why, in at most {LONGEST_REASON} characters"))
    if problems:
        raise BadValues(problems)
    return read


def _bad_cause(told: str, cause: str | None) -> str | None:
    if cause is None or not cause.isprintable():
        return "is no cause: give the word that the dialer tells, as hangup 21"
    if len(told.strip()) > LONGEST_WORD:
        return f"is too long: at most {LONGEST_WORD} characters"
    return None


def _bad_outcome(outcome: Any) -> str | None:
    words = [one.value for one in Outcome]
    if outcome is None or outcome in words:
        return None
    near = get_close_matches(str(outcome), words, 1)
    return f"{outcome!r} is no outcome; " + (
        f"did you mean {near[0]}?" if near else f"there are {', '.join(words)}"
    )

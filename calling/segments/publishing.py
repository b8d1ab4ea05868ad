"""Publishing rules: a new version of an assignment's segments, in force when the call returns (design 3)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from calling.catalogue.reading import all_fields
from calling.segments import alarms
from calling.segments.carried import Readable, read_body
from calling.segments.deeds import note_changes
from calling.segments.retiring import end_pauses, let_go, let_go_within
from models import turnstile
from models.errors import Conflict, NotFound
from models.work import OpenWork, Work
from segmentation.catalogue import KnownField
from segmentation.rebuilds import request_rebuild

_ASSIGNMENT = text("""
    select rule_version from assignment where crm_id = :crm_id and id = :assignment_id for no key update
""")
_RULE_SET = text("""
    insert into rule_set (crm_id, assignment_id, version, body, author, published_at)
    values (:crm_id, :assignment_id, :version, cast(:body as jsonb), :author, :now)
""")
_SEGMENTS = text("""
    insert into segment (crm_id, assignment_id, key, name, position, rule, asks, created_at)
    select :crm_id, :assignment_id, t.key, t.name, t.position, t.rule, t.asks, :now
      from unnest(cast(:keys as text[]), cast(:names as text[]), cast(:rules as jsonb[]),
                  cast(:asks as jsonb[])) with ordinality as t(key, name, rule, asks, position)
    on conflict (crm_id, assignment_id, key) do update
       set name = excluded.name, position = excluded.position, rule = excluded.rule, asks = excluded.asks,
           retired_at = null
""")
_LABELS = text(_SEGMENTS.text.replace("into segment", "into label"))
_RETIRE_LABELS = text("""
    update label set retired_at = :now
     where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null and not key = any(:keys)
""")
_SWEPT = text("""
    insert into sweep (crm_id, assignment_id, swept_to) values (:crm_id, :assignment_id, :now)
    on conflict do nothing
""")
_RETIRE = text("""
    update segment set retired_at = :now
     where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
       and rule is not null and not key = any(:keys)
""")
_IN_FORCE = text("""
    update assignment set rule_version = :version where crm_id = :crm_id and id = :assignment_id
""")
_WALLED = text("""
    update rule_set set walled_at = :now
     where crm_id = :crm_id and assignment_id = :assignment_id and version = :version
""")
_LIVE = text("""
    select id, key, name, position, rule from segment
     where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null and rule is not null
     order by position, id
""")
_RULE_VERSION = text("select rule_version from assignment where crm_id = :crm_id and id = :assignment_id")
_VERSIONS = text("""
    select version, author, published_at, jsonb_array_length(body -> 'segments') as segments from rule_set
     where crm_id = :crm_id and assignment_id = :assignment_id order by version desc
""")
_BODY = text("""
    select body from rule_set
     where crm_id = :crm_id and assignment_id = :assignment_id and version = :version
""")
_CURRENT = text("""
    select body from rule_set where crm_id = :crm_id and assignment_id = :assignment_id
     order by version desc limit 1
""")


Also = Callable[[Work], object]
"""What has to be so from the same instant on as the new rules."""


def nothing_more(_work: Work) -> None:
    """The rules alone."""


@dataclass(frozen=True, slots=True)
class Version:
    """A rule set as it was published: who, when (UTC), and how many segments it has."""

    version: int
    author: str
    published_at: datetime
    segments: int


def publish(
    open_work: OpenWork, assignment_id: int, body: object, *, author: str, base: int | None = None,
    also: Also = nothing_more, back_to: int | None = None,
) -> int:  # fmt: skip
    """Put a rule set in force, and ask for the rebuild; its version.

    From the answer on, nobody re-segments by the rules before, and nothing is handed out from a segment
    that the new rules no longer have. `base`: the version that `body` was made from; somebody else's newer
    one is not overwritten. `also` is done in the same transaction. `back_to`: the earlier version that this
    is, for the history. Raises BadRule with every problem, Conflict, NotFound.
    """
    (version,) = publish_all(
        open_work, lambda _: {assignment_id: body}, author=author, bases={assignment_id: base}, also=also,
        back_to=back_to,
    ).values()  # fmt: skip
    return version


def publish_all(
    open_work: OpenWork,
    make: Callable[[Work], Mapping[int, object]],
    *,
    author: str,
    bases: Mapping[int, int | None] | None = None,
    also: Also = nothing_more,
    back_to: int | None = None,
) -> dict[int, int]:
    """Put rule sets of several assignments in force, all or none: assignment -> its new version.

    `make` comes first in the transaction, and says what to publish; what it locks is locked before the
    assignments are; `also` comes last in it. Otherwise as `publish`.
    """
    with open_work() as work:
        versions = {
            assignment_id: _write(
                work, assignment_id, body, author, (bases or {}).get(assignment_id), back_to
            )
            for assignment_id, body in sorted(make(work).items())
        }
        also(work)
    turnstile.pass_exclusively(open_work, versions)
    with open_work() as work:
        for assignment_id, version in versions.items():
            work.run(_WALLED, assignment_id=assignment_id, version=version)
    for assignment_id in versions:
        let_go(open_work, assignment_id)
        with open_work() as work:
            alarms.renew(work, assignment_id)
    return versions


def lock_rules(work: Work, assignments: Collection[int]) -> None:
    """From here to the end of the transaction nobody else publishes for these; what is read now stays so."""
    for assignment_id in sorted(assignments):
        work.run(_ASSIGNMENT, assignment_id=assignment_id)


def own_fields(work: Work) -> dict[str, KnownField]:
    """The CRM's own fields as rules know them; of a retired one, that none may ask it any more."""
    return {
        field.key: KnownField(
            field.key, field.type, declared=field.choices, retired=field.retired if field.retired_at else ""
        )
        for field in all_fields(work)
    }


def current(work: Work, assignment_id: int) -> dict[str, Any]:
    """The rule set in force, in its canonical form; without segments if none was published."""
    body = work.run(_CURRENT, assignment_id=assignment_id).scalar()
    return body or {"segments": []}


def version_in_force(work: Work, assignment_id: int) -> int:
    """The number of the rules in force; 0 before the first. Raises NotFound."""
    row = work.run(_RULE_VERSION, assignment_id=assignment_id).first()
    if row is None:
        raise NotFound("assignment", assignment_id)
    return int(row.rule_version)


def versions(work: Work, assignment_id: int) -> list[Version]:
    """Every published rule set, the newest first. Raises NotFound."""
    version_in_force(work, assignment_id)
    return [Version(**row._asdict()) for row in work.run(_VERSIONS, assignment_id=assignment_id)]


def roll_back(
    open_work: OpenWork, assignment_id: int, version: int, *, author: str, base: int | None = None
) -> int:
    """Put an earlier version in force again, as a new one; its number.

    Segments that came later retire; those that went come back with their ids and rules, but without the
    customers who were held in them, without those who worked them, and unpaused. `base`: as for `publish`.
    Raises what `publish` raises; NotFound for a version that never was.
    """
    with open_work() as work:
        body = work.run(_BODY, assignment_id=assignment_id, version=version).scalar()
    if body is None:
        raise NotFound("rule version", version)
    return publish(open_work, assignment_id, body, author=author, base=base, back_to=version)


def _write(
    work: Work, assignment_id: int, body: object, author: str, base: int | None, back_to: int | None
) -> int:
    row = work.run(_ASSIGNMENT, assignment_id=assignment_id).first()
    if row is None:
        raise NotFound("assignment", assignment_id)
    if base is not None and base != row.rule_version:
        raise Conflict(
            f"somebody published version {row.rule_version} since you read {base}: look at theirs first",
            version=row.rule_version, base=base,
        )  # fmt: skip
    before = {segment.key: segment for segment in work.run(_LIVE, assignment_id=assignment_id)}
    rules = read_body(work, assignment_id, body, own_fields(work))
    segments, labels = _columns(rules, "segments"), _columns(rules, "labels")
    version: int = row.rule_version + 1
    work.run(
        _RULE_SET,
        assignment_id=assignment_id,
        version=version,
        body=orjson.dumps(rules.body).decode(),
        author=author,
    )
    let_go_within(work, assignment_id)
    end_pauses(work, assignment_id, author)
    work.run(_SEGMENTS, assignment_id=assignment_id, **segments)
    work.run(_LABELS, assignment_id=assignment_id, **labels)
    work.run(_RETIRE, assignment_id=assignment_id, keys=segments["keys"])
    work.run(_RETIRE_LABELS, assignment_id=assignment_id, keys=labels["keys"])
    work.run(_SWEPT, assignment_id=assignment_id)
    work.run(_IN_FORCE, assignment_id=assignment_id, version=version)
    after = {segment.key: segment for segment in work.run(_LIVE, assignment_id=assignment_id)}
    note_changes(work, assignment_id, before, after, author, version, back_to)
    end_pauses(work, assignment_id, author)
    request_rebuild(work, assignment_id, f"rules version {version}")
    return version


def _columns(rules: Readable, which: str) -> dict[str, list[str]]:
    written = rules.columns(which)
    as_json = {name: [orjson.dumps(one).decode() for one in written[name]] for name in ("rules", "asks")}
    return written | as_json

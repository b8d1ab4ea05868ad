"""Publishing rules: a new version of an assignment's segments, in force when the call returns (design 3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from calling.catalogue.reading import all_fields
from calling.segments.deeds import note_changes
from models import turnstile
from models.errors import Conflict, NotFound
from models.work import OpenWork, Work
from segmentation.catalogue import KnownField
from segmentation.language import read_rules
from segmentation.nodes import dump
from segmentation.rebuild import request_rebuild

_ASSIGNMENT = text("""
    select rule_version from assignment where crm_id = :crm_id and id = :assignment_id for no key update
""")
_RULE_SET = text("""
    insert into rule_set (crm_id, assignment_id, version, body, author, published_at)
    values (:crm_id, :assignment_id, :version, cast(:body as jsonb), :author, :now)
""")
_SEGMENTS = text("""
    insert into segment (crm_id, assignment_id, key, name, position, rule, created_at)
    select :crm_id, :assignment_id, t.key, t.name, t.position, t.rule, :now
      from unnest(cast(:keys as text[]), cast(:names as text[]), cast(:rules as jsonb[]))
           with ordinality as t(key, name, rule, position)
    on conflict (crm_id, assignment_id, key) do update
       set name = excluded.name, position = excluded.position, rule = excluded.rule, retired_at = null
""")
_LABELS = text("""
    insert into label (crm_id, assignment_id, key, name, position, rule, created_at)
    select :crm_id, :assignment_id, t.key, t.name, t.position, t.rule, :now
      from unnest(cast(:keys as text[]), cast(:names as text[]), cast(:rules as jsonb[]))
           with ordinality as t(key, name, rule, position)
    on conflict (crm_id, assignment_id, key) do update
       set name = excluded.name, position = excluded.position, rule = excluded.rule, retired_at = null
""")
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
# A hold in a segment that is no more would win over the rules for ever. The rebuild places its customers.
_RELEASE = text("""
    delete from hold h using segment s
     where h.crm_id = :crm_id and h.assignment_id = :assignment_id
       and s.crm_id = :crm_id and s.id = h.segment_id and s.retired_at is not null
""")
# Whoever works one segment only, and it is no more, works any: no empty list that nobody explains.
_FREE_SELLERS = text("""
    update seller h set segment_id = null from segment s
     where h.crm_id = :crm_id and h.assignment_id = :assignment_id
       and s.crm_id = :crm_id and s.id = h.segment_id and s.retired_at is not null
""")
_FREE_DIALERS = text(_FREE_SELLERS.text.replace("update seller", "update dialer"))
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


@dataclass(frozen=True, slots=True)
class Version:
    """A rule set as it was published: who, when (UTC), and how many segments it has."""

    version: int
    author: str
    published_at: datetime
    segments: int


def publish(
    open_work: OpenWork, assignment_id: int, body: object, *, author: str, base: int | None = None
) -> int:
    """Put a rule set in force, and ask for the rebuild; its version.

    From the answer on, nobody re-segments by the rules before, and nothing is handed out from a segment
    that the new rules no longer have. `base`: the version that `body` was made from; somebody else's newer
    one is not overwritten. Raises BadRule with every problem, Conflict, NotFound.
    """
    with open_work() as work:
        version = _write(work, assignment_id, body, author, base)
    turnstile.pass_exclusively(open_work, [assignment_id])
    with open_work() as work:
        work.run(_WALLED, assignment_id=assignment_id, version=version)
    return version


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


def roll_back(open_work: OpenWork, assignment_id: int, version: int, *, author: str) -> int:
    """Put an earlier version in force again, as a new one; its number.

    Segments that came later retire, those that went come back with their ids. Raises what `publish` raises;
    NotFound for a version that never was.
    """
    with open_work() as work:
        body = work.run(_BODY, assignment_id=assignment_id, version=version).scalar()
    if body is None:
        raise NotFound("rule version", version)
    return publish(open_work, assignment_id, body, author=author)


def _write(work: Work, assignment_id: int, body: object, author: str, base: int | None) -> int:
    row = work.run(_ASSIGNMENT, assignment_id=assignment_id).first()
    if row is None:
        raise NotFound("assignment", assignment_id)
    if base is not None and base != row.rule_version:
        raise Conflict(
            f"somebody published version {row.rule_version} since you read {base}: look at theirs first",
            version=row.rule_version, base=base,
        )  # fmt: skip
    before = {segment.key: segment for segment in work.run(_LIVE, assignment_id=assignment_id)}
    canonical = dump(read_rules(body, own_fields(work)))
    segments = canonical["segments"]
    keys = [segment["key"] for segment in segments]
    version: int = row.rule_version + 1
    work.run(
        _RULE_SET,
        assignment_id=assignment_id,
        version=version,
        body=orjson.dumps(canonical).decode(),
        author=author,
    )
    labels = canonical.get("labels", [])
    work.run(_SEGMENTS, assignment_id=assignment_id, **_columns(segments))
    work.run(_LABELS, assignment_id=assignment_id, **_columns(labels))
    work.run(_RETIRE, assignment_id=assignment_id, keys=keys)
    work.run(_RETIRE_LABELS, assignment_id=assignment_id, keys=[label["key"] for label in labels])
    work.run(_SWEPT, assignment_id=assignment_id)
    work.run(_RELEASE, assignment_id=assignment_id)
    work.run(_FREE_SELLERS, assignment_id=assignment_id)
    work.run(_FREE_DIALERS, assignment_id=assignment_id)
    work.run(_IN_FORCE, assignment_id=assignment_id, version=version)
    after = {segment.key: segment for segment in work.run(_LIVE, assignment_id=assignment_id)}
    note_changes(work, assignment_id, before, after, author, version)
    request_rebuild(work, assignment_id, f"rules version {version}")
    return version


def _columns(named: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {
        "keys": [one["key"] for one in named],
        "names": [one["name"] for one in named],
        "rules": [orjson.dumps(one["when"]).decode() for one in named],
    }

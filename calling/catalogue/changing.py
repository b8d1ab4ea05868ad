"""Fields come into use, and what is demanded of their values changes; no customer's row is rewritten."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import text

from calling.catalogue import uniqueness
from calling.catalogue.breakers import UNIQUE, Broken, breakers
from calling.catalogue.checking import LONGEST_UNIQUE
from calling.catalogue.defining import MOST_FIELDS, checked
from calling.catalogue.field import Field
from calling.catalogue.reading import all_fields, in_use, one_field
from models.errors import BadInput, BadValues, Conflict
from models.work import OpenWork, Work

_LOCK = text("select key from field where crm_id = :crm_id order by key for update")
_ADD = text("""
    insert into field (crm_id, key, type, label, ordinal, required, pattern, choices)
    select :crm_id, w.key, w.type, w.label, w.place + coalesce(
           (select max(f.ordinal) from field f where f.crm_id = :crm_id), 0), :required, :pattern, :choices
      from unnest(cast(:keys as text[]), cast(:types as text[]), cast(:labels as text[]))
           with ordinality as w(key, type, label, place)
     order by w.key
    on conflict (crm_id, key) do nothing
    returning key
""")
_CHANGE = text("""
    update field set label = :label, required = :required, pattern = :pattern, choices = :choices
     where crm_id = :crm_id and key = :key
""")
_UNIQUE = text("update field set is_unique = :unique where crm_id = :crm_id and key = :key")
_ORDER = text("""
    update field f set ordinal = w.place
      from unnest(cast(:keys as text[])) with ordinality as w(key, place)
     where f.crm_id = :crm_id and f.key = w.key and f.ordinal <> w.place
""")

ANOTHER_TYPE = (
    "the type of a field never changes, since values and rules are of it: add another field, import or edit "
    "the values into it, let the rules ask it, then retire this one"
)
CHANGEABLE = ("label", "required", "unique", "pattern", "choices")


@dataclass(frozen=True, slots=True)
class Changed:
    """A field after a change, and what of the values that are there breaks what is newly demanded.

    They stay as they are; whatever is written from now on is held to it. `dry_run`: nothing was changed.
    """

    field: Field
    broken: tuple[Broken, ...]
    dry_run: bool


def add(open_work: OpenWork, field: Field, *, position: int | None = None) -> Field:
    """A new field, last in the order or at a `position` (from 1).

    Raises BadValues with every problem, Conflict when the key is in use or belongs to a retired field.
    """
    field = checked(field, new=True)
    with open_work() as work:
        lock(work)
        _refuse_known(work, field.key)
        _insert(work, [field], required=field.required, pattern=field.pattern, choices=list(field.choices))
        if position is not None:
            _put(work, field.key, position)
        if field.unique:
            work.run(_UNIQUE, key=field.key, unique=True)
            keep_unique(work, field)
    return field


def add_missing(open_work: OpenWork, fields: Sequence[Field]) -> None:
    """Make fields that a list brings along, without demands; what somebody else made meanwhile stays."""
    with open_work() as work:
        _insert(work, fields, required=False, pattern=None, choices=[])


def change(
    open_work: OpenWork, key: str, changes: dict[str, Any], *,
    position: int | None = None, dry_run: bool = False,
) -> Changed:  # fmt: skip
    """Change label, required, unique, pattern or choices of a field, or its `position` in the order (from 1).

    A retired one may be changed: it comes back so. Values that break a new demand are counted and stay; only
    `unique` is refused while two customers share a value. `dry_run`: count, and change nothing.
    Raises NotFound, BadValues, Conflict.
    """
    with open_work() as work:
        before = one_field(work, key)
    after = _changed(before, changes)
    broken = tuple(breakers(open_work, before, after))
    if dry_run:
        return Changed(after, broken, dry_run=True)
    refuse_doubles(key, broken)
    if after.unique and not before.unique:
        uniqueness.gather_beforehand(open_work, key)
    with open_work() as work:
        lock(work)
        now = one_field(work, key)
        after = _changed(now, changes)  # what somebody else changed meanwhile stays
        work.run(
            _CHANGE, key=key, label=after.label, required=after.required, pattern=after.pattern,
            choices=list(after.choices),
        )  # fmt: skip
        if position is not None:
            _put(work, key, position)
        if after.unique != now.unique:
            work.run(_UNIQUE, key=key, unique=after.unique)
            keep_unique(work, after)
    return Changed(after, broken, dry_run=False)


def lock(work: Work) -> None:
    """One at a time changes the catalogue of a CRM."""
    work.run(_LOCK)


def keep_unique(work: Work, field: Field) -> None:
    """Keep the values of a unique field in use, and of no other. Raises Conflict when one stands twice."""
    if not field.unique or field.retired_at is not None:
        uniqueness.forget(work, field.key)
    elif not uniqueness.gather(work, field.key):
        raise Conflict(f"{field.key}: somebody wrote a value a second time in this very moment; look again")


def refuse_doubles(key: str, broken: Iterable[Broken]) -> None:
    """Raise Conflict when values stand in the way of a unique field, naming some."""
    why = [_WORDS[one.demand].format(one.customers) + _some(one) for one in broken if one.demand in UNIQUE]
    if why:
        message = f"{key} cannot be unique: {'; '.join(why)}; give them other values first"
        raise Conflict(message, field=key, broken=[asdict(one) for one in broken])


_WORDS = {
    "unique": "{:,} customers share a value with another, such as ",
    "length": f"{{:,}} customers have one longer than {LONGEST_UNIQUE} characters, such as ",
}


def _some(broken: Broken) -> str:
    return ", ".join(
        f'"{(sample.value or "")[:40]}" ({", ".join(sample.customers)})' for sample in broken.samples
    )


def _changed(before: Field, changes: dict[str, Any]) -> Field:
    unknown = [(name, f"is nothing of a field: {', '.join(CHANGEABLE)}") for name in changes
               if name not in CHANGEABLE and name != "type"]  # fmt: skip
    if changes.get("type", before.type) != before.type:
        unknown.append(("type", f"{before.key} is a {before.type} field: {ANOTHER_TYPE}"))
    if unknown:
        raise BadValues(unknown)
    return checked(replace(before, **{name: value for name, value in changes.items() if name != "type"}))


def _refuse_known(work: Work, key: str) -> None:
    fields = {field.key: field for field in all_fields(work)}
    if key not in fields:
        if sum(field.retired_at is None for field in fields.values()) >= MOST_FIELDS:
            raise BadInput(f"there are {MOST_FIELDS} fields in use: retire one that nobody asks any more")
        return
    known = fields[key]
    if known.retired_at is None:
        raise Conflict(f"there is a field {key} already, a {known.type}: change that one", field=key)
    raise Conflict(
        f"{key} was a {known.type} field, retired {known.retired}; its values are still there: "
        "revive it, or take another key", field=key,
    )  # fmt: skip


def _insert(work: Work, fields: Sequence[Field], **demands: Any) -> None:
    work.run(
        _ADD, keys=[field.key for field in fields], types=[field.type for field in fields],
        labels=[field.label or field.key for field in fields], **demands,
    )  # fmt: skip


def _put(work: Work, key: str, position: int) -> None:
    """Give a field its place among those in use; the others keep their order."""
    keys = [field.key for field in in_use(work) if field.key != key]
    if not 1 <= position <= len(keys) + 1:
        raise BadValues([("position", f"is {position}: there are {len(keys) + 1} places, from 1 on")])
    work.run(_ORDER, keys=[*keys[: position - 1], key, *keys[position - 1 :]])

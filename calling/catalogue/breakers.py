"""Values that were written before something was demanded of them: how many break it now, and some of them."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from calling.catalogue.checking import LONGEST_UNIQUE
from calling.catalogue.field import Field
from calling.catalogue.patterns import compiled
from calling.catalogue.scanning import slices
from models.work import OpenWork

SHOWN = 5  # samples of each demand

_LIVE = "from customer c where c.crm_id = :crm_id and c.anonymised_at is null"
_VALUE = "c.fields ->> :key"
_BROKEN = {
    "required": f"coalesce({_VALUE}, '') = ''",
    "choices": f"{_VALUE} <> '' and {_VALUE} <> all (cast(:choices as text[]))",
    "length": f"length({_VALUE}) > {LONGEST_UNIQUE}",
}
_COUNT = {name: text(f"select count(*) {_LIVE} and {broken}") for name, broken in _BROKEN.items()}
_SOME = {
    name: text(f"select c.external_id, {_VALUE} as value {_LIVE} and {broken} order by c.id limit {SHOWN}")
    for name, broken in _BROKEN.items()
}
_VALUES = text("""
    select c.external_id, c.fields ->> :key as value from customer c
     where c.crm_id = :crm_id and c.id between :first and :last and c.anonymised_at is null
       and c.fields ->> :key <> ''
     order by c.id
""")
_DOUBLES = text("""
    select v.value, count(*) as customers
      from customer c cross join lateral (select unique_text(c.fields -> :key) as value offset 0) v
     where c.crm_id = :crm_id and c.anonymised_at is null and v.value is not null
     group by v.value having count(*) > 1
""")
_WHO = text("""
    select v.value, (array_agg(c.external_id order by c.id))[1:3] as who
      from customer c cross join lateral (select unique_text(c.fields -> :key) as value offset 0) v
     where c.crm_id = :crm_id and c.anonymised_at is null and v.value = any(cast(:values as text[]))
     group by v.value order by v.value
""")


UNIQUE = ("unique", "length")
"""What refuses a field that is to be unique; everything else holds from now on, and old values stay."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value that breaks a demand, and whose it is by external id; several have one that stands twice."""

    value: str | None
    customers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """How many customers' values break one demand, and some of them.

    `demand`: required, pattern, choices; unique (several have one value), length (too long to be unique).
    """

    demand: str
    customers: int
    samples: tuple[Sample, ...]


def breakers(open_work: OpenWork, before: Field, after: Field) -> list[Broken]:
    """What is newly demanded and broken by values that are there. Reads all customers, writes nothing."""
    found: list[Broken] = []
    if after.required and not before.required:
        found.append(_counted(open_work, after, "required"))
    if after.pattern is not None and after.pattern != before.pattern:
        found.append(_by_pattern(open_work, after.key, compiled(after.pattern)))
    if after.choices and after.choices != before.choices:
        found.append(_counted(open_work, after, "choices"))
    if after.unique and not before.unique:
        found += [doubles(open_work, after.key), _counted(open_work, after, "length")]
    return [one for one in found if one.customers]


def doubles(open_work: OpenWork, key: str) -> Broken:
    """The customers who share a value of a field with another."""
    with open_work() as work:
        twice = {row.value: row.customers for row in work.run(_DOUBLES, key=key)}
        some = sorted(twice)[:SHOWN]
        who = work.run(_WHO, key=key, values=some).all() if some else []
    return Broken("unique", sum(twice.values()), tuple(Sample(row.value, tuple(row.who)) for row in who))


def _counted(open_work: OpenWork, field: Field, demand: str) -> Broken:
    asked = {"key": field.key} | ({"choices": list(field.choices)} if demand == "choices" else {})
    with open_work() as work:
        customers = int(work.run(_COUNT[demand], **asked).scalar_one())
        some = work.run(_SOME[demand], **asked).all() if customers else []
    return Broken(demand, customers, tuple(Sample(row.value, (row.external_id,)) for row in some))


def _by_pattern(open_work: OpenWork, key: str, matches: Callable[[str], bool]) -> Broken:
    customers, samples = 0, list[Sample]()
    for ids in slices(open_work):
        with open_work() as work:
            bad = [row for row in work.run(_VALUES, key=key, **ids) if not matches(row.value)]
        customers += len(bad)
        samples += [Sample(row.value, (row.external_id,)) for row in bad[: SHOWN - len(samples)]]
    return Broken("pattern", customers, tuple(samples))

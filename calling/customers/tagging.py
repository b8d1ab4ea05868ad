"""Tags: marks that stay until they are taken, with who gave them, by which way and when.

Re-segmented in the same transaction. Whoever has a tag already keeps its first source, author and time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, text

from calling.customers.standing import pass_turnstiles
from calling.handout import placements
from calling.handout.recalling import no_patience, recall_leases
from calling.registers.tagged import follow_tags
from calling.segments.following import follow_facts
from calling.segments.resegmenting import take_back_moved
from models.errors import BadInput, BadValues, NotFound
from models.tables.customers import TAG_SOURCES
from models.tags import read_tag
from models.work import OpenWork, Work

BATCH = 200

_THERE = text("""
    select id from customer where crm_id = :crm_id and id = any(:customers) and anonymised_at is null
     order by id
""")
_TAG = text("""
    insert into customer_tag (crm_id, customer_id, tag, source, author, tagged_at)
    select :crm_id, c.id, t.tag, :source, :author, :now
      from unnest(cast(:customers as bigint[])) as c(id) cross join unnest(cast(:tags as text[])) as t(tag)
     order by c.id, t.tag
    on conflict (crm_id, customer_id, tag) do nothing
    returning customer_id
""")
# In the order of the key, as those who give: two batches never wait for each other in a ring.
_LOCK = text("""
    select customer_id, tag from customer_tag
     where crm_id = :crm_id and customer_id = any(:customers) and tag = any(:tags)
     order by customer_id, tag for update
""")
# By a tag that ever let its customers off a register, they were rung rightly while they had it.
_UNTAG = text("""
    with gone as (
        delete from customer_tag
         where crm_id = :crm_id and customer_id = any(:customers) and tag = any(:tags)
        returning customer_id, tag, tagged_at
    ), kept as (
        insert into tag_taken (crm_id, customer_id, tag, tagged_at, taken_at)
        select :crm_id, g.customer_id, g.tag, g.tagged_at, :now from gone g
         where exists (select from register_exemption x where x.crm_id = :crm_id and x.tag = g.tag)
    )
    select customer_id from gone
""")
_OF_CUSTOMER = text("""
    select tag, source, author, tagged_at from customer_tag
     where crm_id = :crm_id and customer_id = :customer_id order by tag
""")
_ALL = text("""
    select tag, count(*) as customers from customer_tag
     where crm_id = :crm_id and tag > :after and starts_with(tag, :prefix)
     group by tag order by tag limit :most
""")
_ONE = text("select 1 from customer where crm_id = :crm_id and id = :customer_id")


@dataclass(slots=True)
class Tagged:
    """What came of giving or taking tags.

    `marks`: tags that were given or taken, of `customers`; all others were so already. `moved`: how many
    segments were left. `unknown`: ids of nobody in this CRM, or of somebody anonymised.
    """

    marks: int = 0
    customers: int = 0
    moved: int = 0
    unknown: list[int] = field(default_factory=list)


def tag(
    open_work: OpenWork, customers: Iterable[int], tags: Iterable[str], *, source: str, author: str
) -> Tagged:
    """Give each of these customers each of these tags, in batches that are committed one by one.

    `source`: one of models.tables.customers.TAG_SOURCES. Raises BadValues with every text that is no tag.
    """
    if source not in TAG_SOURCES:
        raise BadInput(f"source: {source!r} is none of {', '.join(TAG_SOURCES)}")

    def give(work: Work, there: Sequence[int], read: Sequence[str]) -> list[int]:
        given = {"customers": there, "tags": read, "source": source, "author": author}
        return list(work.run(_TAG, **given).scalars())

    return _in_batches(open_work, customers, tags, give)


def untag(open_work: OpenWork, customers: Iterable[int], tags: Iterable[str]) -> Tagged:
    """Take each of these tags from each of these customers, in batches as `tag`. Raises BadValues."""

    def take(work: Work, there: Sequence[int], read: Sequence[str]) -> list[int]:
        given = {"customers": there, "tags": read}
        work.run(_LOCK, **given)
        return list(work.run(_UNTAG, **given).scalars())

    return _in_batches(open_work, customers, tags, take)


def tags_of(work: Work, customer_id: int) -> list[Row[Any]]:
    """A customer's tags: tag, source, author, tagged_at (UTC). Raises NotFound."""
    if not work.run(_ONE, customer_id=customer_id).first():
        raise NotFound("customer", customer_id)
    return list(work.run(_OF_CUSTOMER, customer_id=customer_id))


def all_tags(work: Work, *, prefix: str = "", after: str = "", most: int = 200) -> list[Row[Any]]:
    """The CRM's tags with how many customers have each, by name: those after `after`, at most so many."""
    return list(work.run(_ALL, prefix=prefix, after=after, most=most))


def read_tags(tags: Iterable[str]) -> list[str]:
    """Tags in their form, each once. Raises BadValues with every text that is none."""
    problems: list[tuple[str, str]] = []
    read: set[str] = set()
    for i, one in enumerate(tags):
        try:
            read.add(read_tag(one))
        except ValueError as error:
            problems.append((f"tags[{i}]", f'"{one[:60]}" {error}'))
    if problems:
        raise BadValues(problems)
    return sorted(read)


_Act = Callable[[Work, Sequence[int], Sequence[str]], list[int]]


def _in_batches(open_work: OpenWork, customers: Iterable[int], tags: Iterable[str], act: _Act) -> Tagged:
    read, ids, done = read_tags(tags), sorted(set(customers)), Tagged()
    if not read:
        raise BadInput("tags: name at least one")
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        with open_work() as work:
            there = list(work.run(_THERE, customers=batch).scalars())
            assignments = pass_turnstiles(work, there)
            placements.lock(work, there)
            changed = act(work, there, read)
            moved = follow_facts(work, assignments, sorted(set(changed)), ["tags"], "event")
            named = follow_tags(work, sorted(set(changed)), read)
        take_back_moved(open_work, moved)
        recall_leases(open_work, named, "on a register of those not to be called", no_patience)
        done.marks += len(changed)
        done.customers += len(set(changed))
        done.moved += len(moved)
        done.unknown += sorted(set(batch) - set(there))
    return done

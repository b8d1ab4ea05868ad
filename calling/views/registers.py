"""The registers there are: what they bind, which version is in force and how old it is, who uses them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from calling.registers import law
from calling.registers.law import NationalRegister
from models.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterState(NationalRegister):
    """One register as a CRM sees it. `age`: fresh, old (warned of), stale, never loaded.

    `days_left`: whole days from today (UTC) until the last on which its version may be called by; below zero
    it is stale, None: never loaded. `binds_us`: it is one for this kind of CRM. `used_since`, `used_by`: None
    where the CRM does not use it. `walled`, `stamped`: its version in force is a wall here, and every
    customer is stamped by it.
    """

    dated: date | None
    numbers: int
    age: str
    last_day: date | None
    days_left: int | None
    binds_us: bool
    used_since: datetime | None
    used_by: str | None
    walled: bool
    stamped: bool

    @property
    def warning(self) -> str | None:
        """What everybody who uses it should know now; None: nothing."""
        if self.used_since is None or self.age == "fresh":
            return None
        stops = f"nobody in {self.country} is called until a newer version is loaded"
        if self.age == "never loaded":
            return f"{self.name} was never loaded" + (f": {stops}" if self.policy == "refuse" else "")
        if self.age == "stale":
            then = stops if self.policy == "refuse" else "load a newer one"
            return f"{self.name} is stale, of {self.dated}: {then}"
        return f"{self.name} is of {self.dated} and may be called by until {self.last_day}: load a newer one"


_STATES = text("""
    select r.name, r.dated, r.numbers, r.in_force, u.author, u.used_since, u.walled_version, u.stamped_version
      from register r
      left join crm_register u on u.crm_id = :crm_id and u.register_id = r.id and u.ended_at is null
""")
_KIND = text("select kind from crm where id = :crm_id")
_VERSIONS = text("""
    select v.id, v.dated, v.file, v.author, v.begun_at, v.in_force_at, v.failed_at, v.why, v.lines,
           v.bad_lines, v.numbers, v.added, v.removed, v.id = r.in_force as in_force
      from register_version v join register r on r.id = v.register_id
     where r.name = :name and v.id > :after
     order by v.id limit :most
""")
_USES = text("""
    select u.id, r.name as register, u.author, u.used_since, u.ended_at, u.ended_by
      from crm_register u join register r on r.id = u.register_id
     where u.crm_id = :crm_id order by u.id
""")
_EXEMPTIONS = text("""
    select x.id, r.name as register, x.assignment_id, a.name as assignment, x.tag, x.reason, x.manager,
           x.author, x.given_at, x.ended_at, x.ended_by
      from register_exemption x join register r on r.id = x.register_id
      left join assignment a on a.crm_id = :crm_id and a.id = x.assignment_id
     where x.crm_id = :crm_id and x.id > :after and (x.ended_at is not null) = :ended
     order by x.id limit :most
""")


def register_states(work: Work) -> list[RegisterState]:
    """Every register that is known, by name."""
    rows = {row.name: row for row in work.run(_STATES)}
    kind = str(work.run(_KIND).scalar_one())
    return [_state(one, rows.get(one.name), kind, work.now) for _, one in sorted(law.shipped().items())]


def warnings(work: Work) -> list[str]:
    """What is to be done about the registers that this CRM uses."""
    return [said for one in register_states(work) if (said := one.warning)]


def warning_of(work: Work, name: str) -> str | None:
    """What whoever uses this register should know now; None: nothing. Raises NotFound."""
    wanted = law.register_named(name).name
    return next((one.warning for one in register_states(work) if one.name == wanted), None)


def versions(work: Work, name: str, after: int, most: int) -> Sequence[Row[Any]]:
    """The versions of a register, oldest first, those that came to nothing too. Raises NotFound."""
    return work.run(_VERSIONS, name=law.register_named(name).name, after=after, most=most).all()


def uses(work: Work) -> Sequence[Row[Any]]:
    """Which registers this CRM uses and used, since when and until when, by whose word."""
    return work.run(_USES).all()


def exemptions(work: Work, after: int, most: int, *, ended: bool = False) -> Sequence[Row[Any]]:
    """Who is let off which register, by whose name; or who was."""
    return work.run(_EXEMPTIONS, after=after, most=most, ended=ended).all()


def _state(one: NationalRegister, row: Row[Any] | None, kind: str, now: datetime) -> RegisterState:
    dated = row.dated if row else None
    last_day = one.last_day_of(dated) if dated else None
    told = {**asdict(one), "source": one.source or "our own days, no source"}
    return RegisterState(
        **told, dated=dated, numbers=row.numbers if row else 0, age=one.age_told(dated, now.date()),
        last_day=last_day, days_left=(last_day - now.date()).days if last_day else None,
        binds_us=kind in one.binds,
        used_since=row.used_since if row else None, used_by=row.author if row else None,
        walled=bool(row and row.in_force is not None and row.walled_version == row.in_force),
        stamped=bool(row and row.in_force is not None and row.stamped_version == row.in_force),
    )  # fmt: skip

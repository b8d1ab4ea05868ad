"""Which data say today who may be called when: laws, zones, numbering plans, holidays, each by its version.

Every lease names the set it was offered by. A set is a row that is written once; its id is short.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, text

from calling.hours.law import shipped
from calling.hours.whereabouts import RULE
from models.work import Work

_PARTS = ("law", "zones", "tzdata", "phonenumbers", "holidays")
_MINE = """
    select id from data_version
     where law = :law and zones = :zones and tzdata = :tzdata
       and phonenumbers = :phonenumbers and holidays = :holidays
"""
_FIND = text(_MINE)
_MAKE = text("""
    insert into data_version (law, zones, tzdata, phonenumbers, holidays, noted_at)
    values (:law, :zones, :tzdata, :phonenumbers, :holidays, :now)
    on conflict (law, zones, tzdata, phonenumbers, holidays) do nothing
""")
_READ = text("select * from data_version where id = any(:ids)")

LAW_FILES = ("hours.toml", "limits.toml", "registers.toml")
"""Hours, how often, and who may not be called at all: the version `law` is that of all three."""
ZONE_FILES = ("zones.toml", "area_codes.toml", "main_zones.toml", "subdivisions.toml")

ZONE_PARTS = ("zones", "tzdata", "phonenumbers")
"""What the zones of a customer follow from; hours and holidays are joined at hand-out."""

_known: WeakKeyDictionary[Engine, int] = WeakKeyDictionary()


@cache
def installed() -> Mapping[str, str]:
    """The versions of everything that this process decides by."""
    packages = {name: version(name) for name in ("tzdata", "phonenumbers", "holidays")}
    law = f"{shipped().reviewed} {_hash(*map(_shipped, LAW_FILES))}"
    return {"law": law, "zones": _hash(*map(_shipped, ZONE_FILES), RULE), **packages}


def version_id(work: Work) -> int:
    """The id of the installed versions, written down if they are new.

    Remembered once it has been read as committed: this transaction may yet be rolled back.
    """
    engine = work.session.connection().engine
    known = _known.get(engine)
    if known is not None:
        return known
    found = work.run(_FIND, **installed()).scalar()
    if found is None:
        work.run(_MAKE, **installed())
        return int(work.run(_FIND, **installed()).scalar_one())
    _known[engine] = int(found)
    return int(found)


def known_version(work: Work) -> int | None:
    """The id of the installed versions, if somebody has written it down. Writes nothing."""
    return work.run(_FIND, **installed()).scalar()


def versions(work: Work, ids: list[int]) -> dict[int, dict[str, str]]:
    """What these ids stand for."""
    return {row.id: {part: getattr(row, part) for part in _PARTS} for row in work.run(_READ, ids=ids)}


def _shipped(name: str) -> str:
    return (files("calling") / "laws" / name).read_text(encoding="utf-8")


def _hash(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:12]

"""What somebody wants changed about a customer, held against the field catalogue: every problem at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from calling.catalogue.checking import Checker
from calling.catalogue.field import Field
from calling.catalogue.person import read_email, read_name, read_place
from calling.catalogue.reading import all_fields
from calling.catalogue.uniqueness import owners
from models.errors import BadValues
from models.work import Work
from segmentation.problems import did_you_mean

PERSON: dict[str, Callable[[str], str]] = {"name": read_name, "email": read_email, "place": read_place}
CHANGEABLE = (*PERSON, "fields")

Problem = tuple[str, str]


@dataclass(slots=True)
class Changes:
    """Values as they are kept: of the customer's own columns, and of fields. None takes a value away."""

    person: dict[str, str | None] = field(default_factory=dict)
    fields: dict[str, object] = field(default_factory=dict)


def read_changes(work: Work, customer_id: int, wanted: Mapping[str, object]) -> Changes:
    """`wanted` ({"name": .., "email": .., "place": .., "fields": {key: JSON value}}) as it is to be kept.

    What is not named stays. Raises BadValues with every problem, also of unique values that another has.
    """
    changes, problems = Changes(), list[Problem]()
    for name, value in wanted.items():
        if name in PERSON:
            problems += _person(changes, name, value)
        elif name == "fields" and isinstance(value, Mapping):
            problems += _fields(work, changes, customer_id, value)
        elif name == "fields":
            problems.append((name, "is an object: {key of a field: value}"))
        else:
            problems.append((name, f"cannot be changed here: {', '.join(CHANGEABLE)}{_why_not(name)}"))
    if problems:
        raise BadValues(problems)
    return changes


def _why_not(name: str) -> str:
    if name == "external_id":
        return "; by its external id a list knows the customer again"
    return did_you_mean(name, CHANGEABLE)


def _person(changes: Changes, name: str, value: object) -> Iterator[Problem]:
    if value is not None and not isinstance(value, str):
        yield name, "takes a text"
        return
    text = (value or "").strip()
    if any(ord(character) == 0 or 0xD800 <= ord(character) < 0xE000 for character in text):
        yield name, "holds a character that cannot be kept"
        return
    try:
        changes.person[name] = PERSON[name](text) if text else None
    except ValueError as error:
        yield name, str(error)


def _fields(
    work: Work, changes: Changes, customer_id: int, wanted: Mapping[str, object]
) -> Iterator[Problem]:
    known = {one.key: one for one in all_fields(work)}
    for key, value in wanted.items():
        path = f"fields.{key}"
        one = known.get(key)
        if one is None:
            live = [other.key for other in known.values() if other.retired_at is None]
            yield path, f"is no field{did_you_mean(key, live)}"
        elif one.retired_at is not None:
            yield path, f"is no longer in use: it was retired {one.retired}"
        else:
            yield from _value(changes, one, value, path)
    unique = {key: value for key, value in changes.fields.items() if value is not None and known[key].unique}
    for key, owner in owners(work, unique).items():
        if owner.customer_id != customer_id:
            yield f"fields.{key}", f'customer "{owner.external_id}" has this value already, and it is unique'


def _value(changes: Changes, one: Field, value: Any, path: str) -> Iterator[Problem]:
    try:
        changes.fields[one.key] = Checker(one).of_json(value)
    except ValueError as error:
        yield path, str(error)

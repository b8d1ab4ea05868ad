"""What if a customer's facts were others? The answers in plain Python, which is held equal to the SQL."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.errors import BadRule
from models.zones import zone_names
from segmentation.catalogue import REFERENCES, Catalogue, KnownField
from segmentation.evaluate import meets_value
from segmentation.moments import HoursAhead
from segmentation.probe import ZONE, Facts
from segmentation.problems import Problems, a_or_an, did_you_mean, shown
from segmentation.values import read_value

Supposed = Mapping[str, Any]
"""Field -> its value in JSON; null: it has none."""


def supposing(facts: Facts, supposed: Supposed, known: Catalogue, now: datetime) -> Facts:
    """The same customer, were these their values, and what follows from them by the rules' own SQL.

    Raises BadRule with every problem.
    """
    values = {**facts.values, **_read(supposed, known)}
    zone_name = str(values[ZONE])
    ahead = HoursAhead().of(zone_name, now) if zone_name in zone_names() else None
    values |= {key: ahead for key in values if known[key].table == "local"}
    answers = {
        leaf: meets_value(leaf, known[leaf.field], values[leaf.field], zone_name, now)
        for leaf in facts.answers
    }
    return Facts(answers, values)


def _read(supposed: Supposed, known: Catalogue) -> dict[str, Any]:
    problems = Problems()
    values: dict[str, Any] = {}
    for key, given in supposed.items():
        field = known.get(key)
        if field is None:
            problems.add(key, f"{shown(key)} is not a field{did_you_mean(key, known)}")
        elif key in REFERENCES or field.table == "local":
            whence = "the zone" if field.table == "local" else "other rules"
            problems.add(key, f"cannot be supposed: it follows from {whence}")
        elif key == ZONE and given is None:
            problems.add(key, "every customer has a zone")
        else:
            values[key] = None if given is None else _value(problems, field, given)
    problems.refuse()
    return values | _following(values, problems)


def _following(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """What follows from supposed values; whoever supposes otherwise as well is told so."""
    follows: dict[str, tuple[str, Any]] = {}
    if "email" in values:
        follows["has_email"] = "email", bool(values["email"])
    if values.get("place"):  # of nobody's address the country is that of a number: it stays
        follows["country"] = "place", str(values["place"]).partition("-")[0]
    for key, (whence, value) in follows.items():
        if key in values and values[key] != value:
            said = {True: "yes", False: "no"}.get(value, value)
            problems.add(key, f"follows from the {whence} that is supposed as well: it is {said} then")
    problems.refuse()
    return {key: value for key, (_, value) in follows.items()}


def _value(problems: Problems, field: KnownField, given: Any) -> Any:
    """The value as SQL would give it."""
    its = Problems()
    value = _read_value(its, field, given)
    try:
        its.refuse()
    except BadRule as bad:
        for path, message in bad.problems:
            problems.add(path.replace(f"{field.key}.v", field.key, 1), message)  # nobody wrote a "v"
    return value


def _read_value(problems: Problems, field: KnownField, given: Any) -> Any:
    if field.type == "yes_no":
        if not isinstance(given, bool):
            problems.add(field.key, f"{shown(given)} is not {a_or_an(field.type)}")
        return given
    op = {"instant": "before", "tags": "any"}.get(field.type, "eq")
    asked = {"f": field.key, "op": op, "v": given}
    if field.type == "tags" and given == []:
        return None
    if field.type in ("text", "choice") and given == "":
        return ""
    read: Any = read_value(problems, field.key, field, op, asked)
    match field.type:
        case "number" if read is not None:
            return read if field.whole else Decimal(str(read))
        case "date":
            return str(read)
        case "tags":
            return list(read)
    return read

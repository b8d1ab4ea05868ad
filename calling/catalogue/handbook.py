"""The handbook of a CRM's own catalogue: for whoever makes its lists and writes its rules, as Markdown.

Written out of the catalogue each time, so that a field added a moment ago stands in it.
"""

import re
from collections.abc import Iterable, Sequence

from calling.catalogue.field import Field
from calling.catalogue.reading import in_use
from models.work import Work
from segmentation.catalogue import BUILT_IN, REFERENCES, Catalogue, KnownField, catalogue
from segmentation.examples import examples

_CELLS = {"text": "`Porto`", "number": "`3,5`", "date": "`2026-03-01`", "yes_no": "`yes`"}
_NAMES = {"yes_no": "yes or no", "instant": "instant", "tags": "tags"}
_HEAD = """# What is kept of customers

Columns of a list find their field by its key or by what it is called. Rules ask it by its key.

| key | called | type | demanded | a cell of a list |
|---|---|---|---|---|
"""
_QUESTIONS = """
## What rules can ask

"""
_REFERENCES = """
### Of other rules

`in_segment any (key)`, `label any (key, other)`, `label all (key, other)`: by the keys of segments and
labels of the same rule set.
"""


def handbook(work: Work) -> str:
    """The fields in use of the work's CRM, and every question that its rules can ask, in Markdown."""
    fields = in_use(work)
    rows = "\n".join(_row(field) for field in fields) or "| | | | | |"
    own = {field.key: KnownField(field.key, field.type, declared=field.choices) for field in fields}
    return _HEAD + rows + "\n" + _QUESTIONS + _questions(own) + _REFERENCES


def _row(field: Field) -> str:
    said = (
        ("shadowed by the built-in", field.key in BUILT_IN), ("required", field.required),
        ("unique", field.unique),
    )  # fmt: skip
    demanded = [word for word, is_so in said if is_so]
    if field.pattern is not None:
        demanded.append(_piece(field.pattern))
    if field.choices:
        demanded.append("one of " + ", ".join(field.choices))
    cells = (f"`{field.key}`", field.label, _name(field.type), "; ".join(demanded), _cell(field))
    return "| " + " | ".join(one.replace("|", r"\|") for one in cells) + " |"


def _cell(field: Field) -> str:
    if field.choices:
        return _piece(field.choices[0])
    if field.pattern is not None:
        return "what matches"
    return _CELLS.get(field.type, "any word")


def _piece(written: str) -> str:
    """Just these signs, in Markdown: between more backticks than it has together."""
    if "`" not in written:
        return f"`{written}`"
    fence = "`" * (1 + max(len(run) for run in re.findall("`+", written)))
    return f"{fence} {written} {fence}"


def _questions(own: Catalogue) -> str:
    """A section a type: which fields are of it, and what the first of them can be asked.

    A built-in field wins over an own one of its key: by that key rules ask the built-in one.
    """
    known = catalogue(own)
    asked = [field for field in own.values() if field.key not in BUILT_IN]
    by_type: dict[str, list[KnownField]] = {}
    for field in (*asked, *BUILT_IN.values()):
        if field.key not in REFERENCES:
            by_type.setdefault(field.type, []).append(field)
    return "\n".join(_section(kind, fields, known) for kind, fields in by_type.items())


def _section(kind: str, fields: Sequence[KnownField], known: Catalogue) -> str:
    keys = ", ".join(f"`{field.key}`" for field in fields)
    return f"### {_name(kind).capitalize()}: {keys}\n\n{_code(examples(fields[0], known))}"


def _code(lines: Iterable[str]) -> str:
    return "```\n" + "\n".join(lines) + "\n```\n"


def _name(kind: str) -> str:
    return _NAMES.get(kind, kind)

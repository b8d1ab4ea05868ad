"""What a field may be: every problem of a definition at once, before anything is written."""

from collections.abc import Iterable
from dataclasses import replace

from calling.catalogue.field import Field
from calling.catalogue.keys import problem_of
from calling.catalogue.patterns import BadPattern, compiled
from calling.catalogue.values import TYPES
from models.errors import BadValues
from segmentation.problems import did_you_mean

LONGEST_LABEL = 200
MOST_CHOICES = 200
LONGEST_CHOICE = 200  # what a rule can ask for
MOST_FIELDS = 200  # in use at a time

OF_TEXT, OF_CHOICE, UNIQUE_TYPES = "text", "choice", ("text", "number", "date")

Problem = tuple[str, str]


def checked(field: Field, *, new: bool = False) -> Field:
    """The field with its label and choices in their one form. Raises BadValues with every problem."""
    field = replace(
        field, label=field.label.strip(), choices=tuple(choice.strip() for choice in field.choices)
    )
    problems = [*(_of_identity(field) if new else ()), *_of_demands(field)]
    if problems:
        raise BadValues(problems)
    return field


def _of_identity(field: Field) -> Iterable[Problem]:
    if wrong := problem_of(field.key):
        yield "key", wrong
    if field.type not in TYPES:
        yield "type", f'"{field.type}" is none of {", ".join(TYPES)}{did_you_mean(field.type, TYPES)}'


def _of_demands(field: Field) -> Iterable[Problem]:
    if not 1 <= len(field.label) <= LONGEST_LABEL or not field.label.isprintable():
        yield "label", f"is one line of 1 to {LONGEST_LABEL} characters"
    if field.pattern is not None:
        if field.type != OF_TEXT:
            yield "pattern", f"is for texts; {field.key} is a {field.type} field"
        try:
            compiled(field.pattern)
        except BadPattern as bad:
            yield "pattern", str(bad)
    if field.unique and field.type not in UNIQUE_TYPES:
        yield "unique", f"is for {', '.join(UNIQUE_TYPES)}; {field.key} is a {field.type} field"
    yield from _of_choices(field)


def _of_choices(field: Field) -> Iterable[Problem]:
    if field.choices and field.type != OF_CHOICE:
        yield "choices", f"are for choices; {field.key} is a {field.type} field"
    if len(field.choices) > MOST_CHOICES:
        yield "choices", f"are {len(field.choices)}; at most {MOST_CHOICES} are allowed: make it a text"
    seen: dict[str, str] = {}
    for i, choice in enumerate(field.choices):
        if not 1 <= len(choice) <= LONGEST_CHOICE or not choice.isprintable():
            yield f"choices[{i}]", f"is one line of 1 to {LONGEST_CHOICE} characters"
        same = seen.setdefault(choice.casefold(), choice)
        if same is not choice:
            yield f"choices[{i}]", f'"{choice}" is "{same}" once more: choices differ by more than capitals'

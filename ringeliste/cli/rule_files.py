"""Files of rules, as JSON or as text; which of the two is told by the content."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import BadInput, BadRule, BadRuleText

if TYPE_CHECKING:
    from models.work import Work
    from segmentation.catalogue import OwnFields


def read_file(file: Path, fields: "OwnFields") -> Any:
    """The JSON body of the rule set in `file`, SQL predicates in it translated.

    Raises BadInput, BadRule with every problem of predicates, BadRuleText with every one of a text.
    """
    from calling.segments.drafts import body_of
    from segmentation.text.reading import read_text

    written = _content(file)
    if written.lstrip().startswith(("{", "[")):
        return body_of(_json(file, written), fields)
    return read_text(written, fields)


def fields_of(work: "Work") -> "OwnFields":
    """The CRM's own fields that rules may ask."""
    from calling.segments.publishing import own_fields

    return own_fields(work)


def places(error: BadRule) -> list[dict[str, Any]]:
    """Every problem as plain data; line, column and piece are null where the rules were JSON."""
    nowhere = {"line": None, "column": None, "piece": None}
    return [nowhere | problem for problem in error.data["problems"]]


def drawn(error: BadRuleText) -> Iterator[str]:
    """Every problem with its line of text, and a caret under the place."""
    lines = error.text.split("\n")
    for (_, message), (line, column, piece) in zip(error.problems, error.places, strict=True):
        written = lines[line - 1].rstrip()
        yield f"line {line}, column {column}: {message}"
        # A tab stays a tab, so that the caret stands under its place however wide it is.
        indent = "".join(sign if sign == "\t" else " " for sign in written[: column - 1])
        yield f"  {written}"
        yield f"  {indent}{'^' * max(len(piece), 1)}"


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"{file}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from None


def _json(file: Path, written: str) -> Any:
    import json

    try:
        return json.loads(written)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file} is not JSON: {error}") from None

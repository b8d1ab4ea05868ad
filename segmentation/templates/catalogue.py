"""The templates there are, read once from templates.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Kind = Literal["segment", "label"]
Bands = Literal["age", "income", "size", "place"]
Role = Literal["age", "birth", "income", "size", "place", "turnover"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a template may be told. `role`: it is a field of one of `types`, and that is what it holds.

    `default`: a number from `least` to `most`, or numbers; None: it is worked out, or the parts that ask it
    are left out.
    """

    name: str
    what: str
    default: int | tuple[int, ...] | None = None
    least: int = 1
    most: int = 3_650
    role: Role | None = None
    types: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A segment or label; {name} in its rule and name stands for a parameter."""

    kind: Kind
    key: str
    name: str
    rule: str


@dataclass(frozen=True, slots=True)
class Template:
    """One template: its `parts`, or `bands` made of a field. `turnover`: the CRM keeps where they begin."""

    key: str
    name: str
    what: str
    parameters: Mapping[str, Parameter]
    parts: tuple[Part, ...] = ()
    bands: Bands | None = None
    turnover: bool = False


@cache
def templates() -> Mapping[str, Template]:
    """Every template by its key, in the order offered."""
    written = tomllib.loads(files(__package__).joinpath("templates.toml").read_text(encoding="utf-8"))
    return {one["key"]: _template(one) for one in written["template"]}


def _template(written: dict[str, Any]) -> Template:
    given = {name: _parameter(name, **one) for name, one in written.get("parameters", {}).items()}
    parts = tuple(Part(**{**one, "rule": " ".join(one["rule"].split())}) for one in written.get("parts", ()))
    return Template(
        written["key"], written["name"], written["what"], given, parts, written.get("bands"),
        written.get("turnover", False),
    )  # fmt: skip


def _parameter(
    name: str, *, what: str, number: int | None = None, numbers: list[int] | None = None,
    least: int = 1, most: int = 3_650,
    role: Role | None = None, types: tuple[str, ...] = (), needed: bool = False,
) -> Parameter:  # fmt: skip
    default = tuple(numbers) if numbers is not None else number
    return Parameter(name, what, default, least, most, role, tuple(types), needed)

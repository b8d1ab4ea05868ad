"""Which column of a file is what: by its name, or by what the caller says."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from calling.intake.values import TYPES, infer
from models.errors import BadInput

# What a customer has beside the CRM's own fields. Only `phone` may be several columns.
TARGETS = ("external_id", "name", "first_name", "last_name", "email", "place", "phone")
IGNORED = "-"
RESERVED = frozenset({*TARGETS, "status", "attempts", "last_outcome"})  # what rules call by these names

_SYNONYMS = {
    "external_id": "externalid id customerid customerno customernumber customer clientid client contactid "
    "leadid recordid accountid crmid kundeid kundenr kundenummer kundnr kundnummer kundid kdnr idcliente",
    "name": "name fullname customername contactname navn kundenavn fulltnavn namn nome nombre nom",
    "first_name": "firstname givenname forename fornavn fornamn vorname primeironome prenom",
    "last_name": "lastname surname familyname etternavn efternamn nachname apelido apellido",
    "email": "email emailaddress mail epost epostadresse epostadress correio correo courriel",
    "place": "place legalplace",
    "phone": "phone phonenumber telephone telephonenumber tel tlf tlfnr telefon telefonnr telefonnummer "
    "telefone telefono mobile mobilephone mobilenumber mobil mobilnr mobilnummer mobiltelefon mobiltlf "
    "telemovel movil cell cellphone cellular handy landline homephone phonehome workphone phonework msisdn "
    "e164 rufnummer",
}
_TARGET_OF = {word: target for target, words in _SYNONYMS.items() for word in words.split()}
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ł": "l"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: where it stands, what it is, and the type where it is an own field of the CRM."""

    index: int
    header: str
    target: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of a file are read. Plain values, so that it travels to other processes."""

    region: str
    width: int
    columns: tuple[Column, ...]

    def of(self, target: str) -> list[Column]:
        """The columns of one target."""
        return [column for column in self.columns if column.target == target]

    @property
    def own(self) -> list[Column]:
        """The columns that are own fields of the CRM."""
        return [column for column in self.columns if column.type]


def plan_columns(
    header: Sequence[str],
    region: str,
    mapping: Mapping[str, str],
    fields: Mapping[str, str],
    sample: Sequence[Sequence[str]],
) -> Plan:
    """What each column is.

    `mapping`: header -> a target, an own field ("age" or "age:number"), or "-" to leave it out. `fields`: the
    CRM's own fields and their types. `sample`: rows that types of new fields are told by. Raises BadInput
    with every problem.
    """
    headers = [text.replace("\0", "").strip() for text in header]  # PostgreSQL keeps no NUL in a label
    problems = _unknown_headers(headers, mapping)
    columns: list[Column] = []
    for index, text in enumerate(headers):
        said = mapping.get(text)
        target, kind = _say(text, said, fields, problems) if said else _guess(text)
        if target == IGNORED:
            continue
        if target not in TARGETS:
            cells = (row[index].strip() for row in sample if index < len(row))
            kind = fields.get(target) or kind or infer([cell for cell in cells if cell])
        columns.append(Column(index, text, target, None if target in TARGETS else kind))
    problems += _clashes(columns) + _missing(columns, headers)
    if problems:
        raise BadInput("; ".join(problems), problems=problems)
    return Plan(region, len(headers), tuple(columns))


def normal(header: str) -> str:
    """A header without case, accents, spaces and signs."""
    plain = unicodedata.normalize("NFKD", header.casefold().translate(_LETTERS))
    return re.sub(r"[^a-z0-9]", "", plain.encode("ascii", "ignore").decode())


def key_of(header: str) -> str:
    """The key of an own field: "Saldo (€)" -> "saldo"; a name that rules use otherwise gets "own_"."""
    plain = unicodedata.normalize("NFKD", header.casefold().translate(_LETTERS)).encode("ascii", "ignore")
    key = re.sub(r"[^a-z0-9]+", "_", plain.decode()).strip("_")[:60] or "field"
    return f"own_{key}" if key in RESERVED or key[0].isdigit() else key


def _guess(header: str) -> tuple[str, str | None]:
    """The target that a header names; any other is an own field; an empty header is left out."""
    if not header:
        return IGNORED, None
    word = normal(header)
    target = _TARGET_OF.get(word) or _TARGET_OF.get(word.rstrip("0123456789"))
    return (target or key_of(header)), None


def _say(header: str, said: str, fields: Mapping[str, str], problems: list[str]) -> tuple[str, str | None]:
    """The target and type that the caller gave for a header."""
    target, _, kind = (part.strip() for part in said.partition(":"))
    if kind and (kind not in TYPES or target in TARGETS):
        problems.append(f"{header!r} is mapped to {said!r}: a type is one of {', '.join(TYPES)}")
    if kind and fields.get(target, kind) != kind:
        problems.append(f"{header!r} is mapped to {said!r}, but {target} is a {fields[target]} field already")
    if target in TARGETS or target in fields or target == IGNORED:
        return target, kind or None
    near = get_close_matches(target, TARGETS, 1, 0.7)
    if near and not kind:
        hint = f"did you mean {near[0]}? If not, write {target}:text"
        problems.append(f"{header!r} is mapped to {target!r}: {hint}")
    if target != key_of(target):
        problems.append(f"{header!r} is mapped to {target!r}: write the field as {key_of(target)!r}")
    return target, kind or None


def _unknown_headers(headers: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    for wanted in mapping:
        if wanted not in headers:
            near = get_close_matches(wanted, headers, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, headers))}"
            problems.append(f"the file has no column {wanted!r}; {hint}")
    return problems


def _clashes(columns: Iterable[Column]) -> list[str]:
    """Two columns that would write the same thing."""
    seen: dict[str, str] = {}
    problems: list[str] = []
    for column in columns:
        if column.target in seen and column.target != "phone":
            both = f"{seen[column.target]!r} and {column.header!r} both give {column.target}"
            problems.append(f"{both}; map one of them to {IGNORED!r} or to a field")
        seen.setdefault(column.target, column.header)
    return problems


def _missing(columns: Iterable[Column], headers: Sequence[str]) -> list[str]:
    """What no file may lack."""
    targets = {column.target for column in columns}
    there = f"the columns are {', '.join(map(repr, headers))}"
    problems: list[str] = []
    if "external_id" not in targets:
        problems.append(f"no column is the customer id; map one to external_id: {there}")
    if "phone" not in targets:
        problems.append(f"no column is a telephone number; map one or more to phone: {there}")
    if {"name", "first_name"} <= targets or {"name", "last_name"} <= targets:
        problems.append("give the name in one column or in two, not in both ways")
    return problems

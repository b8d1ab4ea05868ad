"""Which column of a file is what: by its name, or by what the caller says."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from calling.catalogue.field import Field
from calling.catalogue.keys import TARGETS, key_of, plain, problem_of
from calling.catalogue.states import COUNTRIES, are_states
from calling.catalogue.values import TYPES, infer
from models.errors import BadInput
from models.kinds import NUMBER_KINDS

IGNORED = "-"
SEVERAL = ("phone", "tags")  # targets that more than one column may give

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
    "verified_zone": "verifiedzone verifiedtimezone",
    "tags": "tags tag etiketter merkelapper etiquetas schlagworte",
}
# Telephone columns that say where their numbers ring. What is only called a telephone says nothing of it.
_KINDS = {
    "home": "homephone phonehome hometelephone privatephone phoneprivate privattelefon privattlf "
    "telefonprivat hjemmetelefon hjemmetlf hemtelefon telefonecasa telefonocasa",
    "work": "workphone phonework worktelephone officephone phoneoffice businessphone jobbtelefon jobbtlf "
    "arbeidstelefon arbeidstlf arbejdstelefon arbetstelefon diensttelefon telefongeschaftlich "
    "telefonetrabalho telefonotrabajo",
    "mobile": "mobile mobilephone mobilenumber mobil mobilnr mobilnummer mobiltelefon mobiltlf telemovel "
    "movil cell cellphone cellular handy",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_TARGET_OF = {word: target for target, words in _SYNONYMS.items() for word in words.split()}
_TARGET_OF |= dict.fromkeys(_KIND_OF, "phone")
ANYWAY = "anyway"
"""Said of a column of verified zones: also those that no number and no address of the customer speaks for."""

STATE = "state"
"""Said of a column of places: states of the list's country, by code or name."""

_STATES = frozenset(
    ["state", "usstate", "stateprovince", "stateorprovince", "province", "region", "addressstate"]
)
_MORE = {"phone": NUMBER_KINDS, "verified_zone": (ANYWAY,), "place": (STATE,)}
"""What may be said after a colon of a target."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: where it stands, what it is, and its field where it is an own one of the CRM.

    `more`: of telephone numbers their kind, of verified zones "anyway", of places "state"; None: nothing.
    """

    index: int
    header: str
    target: str
    field: Field | None = None
    more: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of a file are read. Plain values, so that it travels to other processes.

    `lacking`: required fields that no column gives; a customer who is new cannot be made without them.
    `warnings`: what whoever sent the list should know of its columns.
    """

    region: str
    width: int
    columns: tuple[Column, ...]
    lacking: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def of(self, target: str) -> list[Column]:
        """The columns of one target."""
        return [column for column in self.columns if column.target == target]

    @property
    def own(self) -> list[Column]:
        """The columns that are own fields of the CRM."""
        return [column for column in self.columns if column.field]


def plan_columns(
    header: Sequence[str],
    region: str,
    mapping: Mapping[str, str],
    fields: Collection[Field],
    sample: Sequence[Sequence[str]],
) -> Plan:
    """What each column is.

    `mapping`: header -> a target, an own field ("age" or "age:number"), or "-" to leave it out. `fields`: the
    CRM's own, retired ones too. `sample`: rows that types of new fields are told by. Raises BadInput with
    every problem.
    """
    headers = [text.replace("\0", "").strip() for text in header]  # PostgreSQL keeps no NUL in a label
    known = {field.key: field for field in fields}
    problems = _unknown_headers(headers, mapping)
    columns: list[Column] = []
    states = _column_of_states(headers, region, mapping, known, sample)
    for index, text in enumerate(headers):
        said = mapping.get(text)
        if index == states:
            columns.append(Column(index, text, "place", None, STATE))
            if _own(text, known) is None:
                continue  # a field that was made of such a column before goes on beside it
        target, kind = _say(text, said, known, problems) if said else _guess(text, known)
        if target == IGNORED:
            continue
        field = None
        if target not in TARGETS:
            cells = (row[index].strip() for row in sample if index < len(row))
            field = known.get(target) or Field(target, kind or infer([cell for cell in cells if cell]), text)
            problems += [_retired(text, field)] if field.retired_at else []
        columns.append(Column(index, text, target, field, kind if target in _MORE else None))
    problems += _clashes(columns) + _missing(columns, headers)
    if problems:
        raise BadInput("; ".join(problems), problems=problems)
    given = {column.target for column in columns}
    lacking = [one.key for one in fields if one.required and not one.retired_at and one.key not in given]
    warnings = tuple(_silent_states(columns, region, sample))
    return Plan(region, len(headers), tuple(columns), tuple(lacking), warnings)


def normal(header: str) -> str:
    """A header without case, accents, spaces and signs."""
    return re.sub(r"[^a-z0-9]", "", plain(header))


def _retired(header: str, field: Field) -> str:
    return (
        f"{header!r} gives {field.key}, which is no longer in use: it was retired {field.retired}; "
        f"revive it, or map the column to another field or to {IGNORED!r}"
    )


def _guess(header: str, fields: Mapping[str, Field]) -> tuple[str, str | None]:
    """The target that a header names, and the kind of its numbers; any other is an own field.

    An empty header is left out.
    """
    if not header:
        return IGNORED, None
    word = normal(header)
    word = word if word in _TARGET_OF else word.rstrip("0123456789")
    return (_TARGET_OF.get(word) or _own(header, fields) or key_of(header)), _KIND_OF.get(word)


def _column_of_states(
    headers: Sequence[str], region: str, mapping: Mapping[str, str], fields: Mapping[str, Field],
    sample: Sequence[Sequence[str]],
) -> int | None:  # fmt: skip
    """The column that has the states of addresses in the list's country, where nothing else says the place.

    A state binds by its law beside that of the number, so it must not end as a field that no law asks. It is
    known by its name, and by cells that are states, most of them: an odd one loses its own place only.
    """
    said = {target.partition(":")[0].strip() for target in mapping.values()}
    if "place" in said or any(_guess(text, fields)[0] == "place" for text in headers if text not in mapping):
        return None
    for index, text in enumerate(headers):
        if text not in mapping and normal(text) in _STATES and are_states(_cells(sample, index), region):
            return index
    return None


def _silent_states(
    columns: Collection[Column], region: str, sample: Sequence[Sequence[str]]
) -> Iterator[str]:
    """Columns that may be the states of addresses, and end as fields that no law asks."""
    if any(column.target == "place" for column in columns):
        return
    for column in columns:
        if column.field is None or normal(column.header) not in _STATES:
            continue
        cells = _cells(sample, column.index)
        here = region in COUNTRIES
        country = region if here else next((one for one in COUNTRIES if are_states(cells, one)), None)
        if country is None or not cells:
            continue
        said = f"{column.header!r} is kept as the field {column.target}, and no law asks it: "
        if here:
            instead = f"if it has the states of addresses, map it to place:{STATE}"
        else:
            instead = f"its cells are states of {country}; write them as in {country}-XX and map it to place"
        yield said + instead


def _cells(sample: Sequence[Sequence[str]], index: int) -> list[str]:
    """What stands in one column of the sample, without the empty cells."""
    return [row[index] for row in sample if index < len(row) and row[index].strip()]


def _own(header: str, fields: Mapping[str, Field]) -> str | None:
    """The field that is called so, by its key or its label; one in use rather than a retired one."""
    called = [one for one in fields.values() if header in (one.key, one.label)]
    return (
        min(called, key=lambda one: (one.retired_at is not None, one.key != header)).key if called else None
    )


def _say(header: str, said: str, fields: Mapping[str, Field], problems: list[str]) -> tuple[str, str | None]:
    """The target and type that the caller gave for a header."""
    target, _, kind = (part.strip() for part in said.partition(":"))
    known = fields.get(target)
    if kind and target in _MORE:
        if kind not in _MORE[target]:
            near = get_close_matches(kind, _MORE[target], 1)
            hint = f"did you mean {target}:{near[0]}?" if near else f"one of {', '.join(_MORE[target])}"
            problems.append(f"{header!r} is mapped to {said!r}: after {target} stands {hint}")
    elif kind and (kind not in TYPES or target in TARGETS):
        problems.append(f"{header!r} is mapped to {said!r}: a type is one of {', '.join(TYPES)}")
    if kind and known and known.type != kind:
        problems.append(f"{header!r} is mapped to {said!r}, but {target} is a {known.type} field already")
    if target in TARGETS or known or target == IGNORED:
        return target, kind or None
    near = get_close_matches(target, TARGETS, 1, 0.7)
    if near and not kind:
        hint = f"did you mean {near[0]}? If not, write {target}:text"
        problems.append(f"{header!r} is mapped to {target!r}: {hint}")
    if wrong := problem_of(target):
        problems.append(f"{header!r} is mapped to {target!r}: {wrong}")
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
        if column.target in seen and column.target not in SEVERAL:
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

"""The demo's customer list: a bank's real customers, with made-up names and telephone numbers."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from random import Random

from models.errors import BadInput

FIELDS = {
    "age": "number", "job": "choice", "marital": "choice", "education": "choice", "default": "yes_no",
    "balance": "number", "housing": "yes_no", "loan": "yes_no", "pdays": "number", "previous": "number",
    "poutcome": "choice",
}  # fmt: skip
"""What is known before the call. The other columns describe the call itself: no rule may ask them."""

TRUTH = "y"
CUSTOMERS_FILE, TRUTH_FILE = "demo-customers.csv", "demo-truth.csv"
MOBILES = 0.8  # share of customers who gave a mobile: it may be on the mainland or on the Azores

_MOBILE = ("91", "92", "93", "96")
# Lisbon, Porto, seven towns, Madeira and the Azores: roughly by inhabitants.
_LANDLINES: Mapping[str, int] = {
    "21": 40, "22": 22, "231": 3, "234": 5, "239": 5, "253": 6, "265": 5, "282": 3, "289": 4,
    "291": 4, "292": 1, "295": 2, "296": 3,
}  # fmt: skip
_DIGITS = 9

_WOMEN = (
    "Ana", "Beatriz", "Carla", "Catarina", "Cristina", "Daniela", "Diana", "Filipa", "Fernanda", "Helena",
    "Inês", "Isabel", "Joana", "Leonor", "Luísa", "Margarida", "Maria", "Mariana", "Marta", "Patrícia",
    "Rita", "Sandra", "Sara", "Sílvia", "Sofia", "Susana", "Teresa", "Vera",
)  # fmt: skip
_MEN = (
    "Afonso", "André", "António", "Bruno", "Carlos", "Daniel", "Diogo", "Duarte", "Eduardo", "Fernando",
    "Filipe", "Francisco", "Gonçalo", "Hugo", "João", "Jorge", "José", "Luís", "Manuel", "Miguel", "Nuno",
    "Paulo", "Pedro", "Ricardo", "Rui", "Sérgio", "Tiago", "Vasco",
)  # fmt: skip
_FAMILIES = (
    "Almeida", "Alves", "Antunes", "Araújo", "Barbosa", "Cardoso", "Carvalho", "Coelho", "Correia", "Costa",
    "Cunha", "Dias", "Fernandes", "Ferreira", "Figueiredo", "Fonseca", "Gomes", "Gonçalves", "Henriques",
    "Lopes", "Machado", "Marques", "Martins", "Matos", "Melo", "Mendes", "Monteiro", "Moreira", "Nunes",
    "Oliveira", "Pereira", "Pinheiro", "Pinto", "Ramos", "Reis", "Ribeiro", "Rocha", "Rodrigues", "Santos",
    "Silva", "Simões", "Soares", "Sousa", "Tavares", "Teixeira", "Vaz", "Vieira",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoList:
    """`customers`: a list to import with `mapping`. `truth`: customer id and who says yes, once reached."""

    customers: Path
    truth: Path
    mapping: dict[str, str]


def write_demo_list(folder: Path, *, data: Path | None = None, seed: int = 1) -> DemoList:
    """Write the list and its truth into `folder`; the same seed writes the same files.

    `data`: another file with the same columns. Raises BadInput if one is missing.
    """
    made = DemoList(
        folder / CUSTOMERS_FILE, folder / TRUTH_FILE, {key: f"{key}:{kind}" for key, kind in FIELDS.items()}
    )
    dice = Random(seed)  # noqa: S311 - made-up people, no secrets
    numbers = _numbers(dice)
    with (
        made.customers.open("w", encoding="utf-8", newline="") as customers,
        made.truth.open("w", encoding="utf-8", newline="") as truth,
    ):
        write, tell = csv.writer(customers).writerow, csv.writer(truth).writerow
        write(["customer id", "name", "phone", *FIELDS])
        tell(["external_id", TRUTH])
        for number, row in enumerate(_rows(data), start=1):
            write([number, _name(dice), next(numbers), *(row[key] for key in FIELDS)])
            tell([number, row[TRUTH]])
    return made


def _rows(data: Path | None) -> Iterator[dict[str, str]]:
    """The rows of the list, separated by commas or, as its makers published it, by semicolons."""
    with (
        as_file(files("ringeliste") / "data" / "bank-marketing.csv") as shipped,
        (data or shipped).open(encoding="utf-8-sig", newline="") as file,
    ):
        header = file.readline()
        file.seek(0)
        rows = csv.DictReader(file, delimiter=";" if ";" in header else ",")
        missing = [key for key in (*FIELDS, TRUTH) if key not in (rows.fieldnames or ())]
        if missing:
            raise BadInput(f"{data or shipped} lacks the columns {', '.join(missing)}")
        yield from rows


def _numbers(dice: Random) -> Iterator[str]:
    """Numbers of Portugal's plan (E.164), no two alike."""
    areas, weights = list(_LANDLINES), list(_LANDLINES.values())
    given: set[str] = set()
    while True:
        prefix = dice.choice(_MOBILE) if dice.random() < MOBILES else dice.choices(areas, weights)[0]
        free = _DIGITS - len(prefix)
        number = f"+351{prefix}{dice.randrange(10**free):0{free}}"
        if number not in given:
            given.add(number)
            yield number


def _name(dice: Random) -> str:
    """A name as Portuguese people have them: one or two given ones, the mother's family and the father's."""
    given = dice.choice((_WOMEN, _MEN))
    first = dice.sample(given, 2 if dice.random() < 0.3 else 1)
    return " ".join([*first, *dice.sample(_FAMILIES, 2)])

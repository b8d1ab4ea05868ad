"""The hidden truth that a simulated dialer reveals: which customer buys once reached."""

import csv
import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from models.errors import BadInput

YES = frozenset({"yes", "y", "true", "1"})
NO = frozenset({"no", "n", "false", "0"})


def read_truth(path: Path, id_column: str = "external_id", truth_column: str = "y") -> dict[str, bool]:
    """Customer's external id -> buys, from JSON lines (a name ending in .jsonl) or CSV with a header.

    An empty `id_column` names the customers by their row, from 1. Raises BadInput for a missing column or an
    answer that is neither yes nor no.
    """
    truth = {}
    for number, row in enumerate(_rows(path), start=1):
        word = _cell(row, truth_column, path).lower()
        if word not in YES | NO:
            raise BadInput(f"{path}, row {number}: {word!r} is neither yes nor no", row=number)
        truth[_cell(row, id_column, path) if id_column else str(number)] = word in YES
    return truth


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".jsonl":
            yield from (json.loads(line) for line in file if line.strip())
            return
        header = file.readline()
        file.seek(0)
        yield from csv.DictReader(file, delimiter=";" if header.count(";") > header.count(",") else ",")


def _cell(row: Mapping[str, Any], column: str, path: Path) -> str:
    if row.get(column) is None:
        by_lower = {str(name).lower(): name for name in row}
        near = get_close_matches(column.lower(), by_lower, n=1)
        hint = f", did you mean {by_lower[near[0]]!r}?" if near else f"; it has {', '.join(map(str, row))}"
        raise BadInput(f"{path} has no column {column!r}{hint}", column=column)
    return str(row[column]).strip()

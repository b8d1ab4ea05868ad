"""Opens a customer list, whatever its format: CSV, Excel or JSON lines, told by what is in it."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import orjson
from python_calamine import CalamineError, CalamineWorkbook

from calling.intake.delimited import read_delimited
from calling.intake.encodings import EXCEL, encoding_of
from calling.intake.tables import Row, Table, as_text, header_index
from models.errors import BadInput


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """The header and the rows of a customer list. Raises BadInput for a file that is none."""
    if not path.is_file():
        raise BadInput(f"{path} is {'a folder' if path.is_dir() else 'not there'}; give the path of a file")
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        start = file.read(4096)
        if not start.strip():
            raise BadInput(f"{path} is empty")
        file.seek(0)
        try:
            yield _read(path, file, start, stack)
        except BadInput as problem:
            named = str(path) in problem.message
            raise problem if named else BadInput(f"{path}: {problem.message}", **problem.data) from None


def _read(path: Path, file: BinaryIO, start: bytes, stack: ExitStack) -> Table:
    """The table in whichever format the file begins."""
    size = path.stat().st_size
    if start.startswith(EXCEL):
        return _excel(path)
    encoding = encoding_of(path)

    def share() -> float:
        return min(file.tell() / size, 1.0)

    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return Table(*_json_lines(path, file), share)
    errors = "surrogateescape" if encoding == "utf-8" else "strict"
    text = stack.enter_context(TextIOWrapper(file, encoding, errors=errors, newline=""))
    return Table(*read_delimited(text), share)


def _excel(path: Path) -> Table:
    """The first sheet with anything in it; a row's line is its number in the sheet."""
    try:
        book = CalamineWorkbook.from_path(path)
        sheets = (book.get_sheet_by_index(i) for i in range(len(book.sheet_names)))
        rows = next((filled for sheet in sheets if (filled := sheet.to_python(skip_empty_area=False))), None)
    except CalamineError as error:
        raise BadInput(f"{path} cannot be read as Excel: {error}") from error
    if not rows:
        raise BadInput(f"{path} is empty")
    texts = [[as_text(value) for value in row] for row in rows[:50]]
    found = header_index(texts)
    at = found

    def body() -> Iterator[Row]:
        nonlocal at
        for at in range(found + 1, len(rows)):
            if any(value != "" for value in rows[at]):
                yield at + 1, _texts(rows[at])

    return Table(texts[found], body(), lambda: (at + 1) / len(rows))


def _json_lines(path: Path, file: BinaryIO) -> tuple[list[str], Iterator[Row]]:
    """Every key of any line is a column, in the order in which they first appear."""
    header: dict[str, None] = {}
    with path.open("rb") as lines:
        for line in lines:
            read = _object(line)
            if isinstance(read, dict):
                header |= dict.fromkeys(read)
    if not header:
        raise BadInput(f"{path} holds no JSON object")

    def body() -> Iterator[Row]:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _cells(_object(line), header)

    return list(header), body()


def _object(line: bytes) -> dict[str, object] | str:
    """One line's object, or why there is none."""
    try:
        read = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        return f"no JSON: {error}"
    return read if isinstance(read, dict) else "no JSON object"


def _cells(read: dict[str, object] | str, header: dict[str, None]) -> list[str] | str:
    return read if isinstance(read, str) else _texts(read.get(key) for key in header)


def _texts(values: Iterable[object]) -> list[str] | str:
    try:
        return [as_text(value) for value in values]
    except ValueError as error:
        return str(error)

"""Writes the smallest Excel file that Excel itself would open, for tests of reading one."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from zipfile import ZipFile

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def write_xlsx(path: Path, rows: Sequence[Sequence[object]], first_row: int = 1) -> None:
    """One sheet with these rows; text, numbers and booleans."""
    body = "".join(_row(number, row) for number, row in enumerate(rows, first_row))
    parts = {
        "[Content_Types].xml": f"""<Types xmlns="{_PACKAGE}/content-types">
            <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
            <Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>
            <Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>""",
        "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f"""<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}">
            <sheets><sheet name="Customers" sheetId="1" r:id="rId1"/></sheets></workbook>""",
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData>{body}</sheetData></worksheet>',
    }
    with ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + content)


def _relation(kind: str, target: str) -> str:
    return f"""<Relationships xmlns="{_PACKAGE}/relationships">
        <Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>"""


def _row(number: int, row: Sequence[object]) -> str:
    cells = (_cell(f"{chr(65 + i)}{number}", value) for i, value in enumerate(row) if value is not None)
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(at: str, value: object) -> str:
    if isinstance(value, bool):
        return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{at}"><v>{value}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

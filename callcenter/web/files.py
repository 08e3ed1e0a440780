"""A table to be kept: CSV and XLSX, with nothing a spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

Value = str | int | float | None
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_NOT_IN_A_TITLE = "\\*?:/[]？："


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def csv_of(rows: Iterable[Sequence[Value]]) -> bytes:
    """Return rows as CSV in UTF-8, with the mark by which spreadsheets know it."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def xlsx_of(title: str, rows: Iterable[Sequence[Value]]) -> bytes:
    """Return rows as a workbook of one sheet, its head in bold and frozen."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("".join(one for one in title if one not in _NOT_IN_A_TITLE)[:31])
    sheet.freeze_panes = "B2"
    for place, row in enumerate(rows):
        cells = [WriteOnlyCell(sheet, value) for value in row]
        if place == 0:
            for cell in cells:
                cell.font = Font(bold=True)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def file_of(name: str, kind: str, title: str, rows: Iterable[Sequence[Value]]) -> Response:
    """Answer with a table as a file; `kind` is csv or xlsx."""
    made, mimetype = (csv_of(rows), "text/csv") if kind == "csv" else (xlsx_of(title, rows), _XLSX)
    answer = Response(made, mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer

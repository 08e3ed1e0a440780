"""Tables of quality and targets to be kept: CSV as spreadsheets know it, and workbooks."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response
from flask_babel import gettext
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from callcenter.web.files import harmless
from callcenter.web.pages.quality import QualityReportPage

Cell = str | int | float | None
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _safe(row: Sequence[Cell]) -> list[Cell]:
    return [harmless(one) if isinstance(one, str) else one for one in row]


def csv_file(name: str, rows: Iterable[Sequence[Cell]]) -> Response:
    """Return rows as CSV in UTF-8, with the mark by which spreadsheets know it."""
    out = io.StringIO()
    csv.writer(out).writerows(_safe(row) for row in rows)
    answer = Response(out.getvalue().encode("utf-8-sig"), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def xlsx_file(name: str, title: str, rows: Iterable[Sequence[Cell]]) -> Response:
    """Return rows as a workbook of one sheet, its head in bold and frozen."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "B2"
    for place, row in enumerate(rows):
        cells = [WriteOnlyCell(sheet, value) for value in _safe(row)]
        for cell in cells if place == 0 else ():
            cell.font = Font(bold=True)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    answer = Response(out.getvalue(), mimetype=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def report_csv(shown: QualityReportPage) -> Response:
    """Return the scores by agent, and below them those by question."""
    rows: list[Sequence[Cell]] = [
        [gettext("Agent"), gettext("Reviews"), gettext("Average score"), gettext("Passed"), gettext("Failed")]
    ]
    for agent in shown.agents:
        average = None if agent.average is None else round(agent.average, 1)
        rows.append([agent.agent, agent.reviews, average, agent.passed, agent.failed])
    rows.append([])
    rows.append(
        [
            gettext("Question"),
            gettext("Part"),
            gettext("Asked"),
            gettext("Met"),
            gettext("Partly"),
            gettext("Not met"),
        ]
    )
    rows += [[one.text, one.section, one.asked, one.met, one.partly, one.not_met] for one in shown.questions]
    return csv_file("quality.csv", rows)

"""Reports: the page, and the same as CSV and XLSX."""

from flask import Response, render_template, request
from flask_babel import gettext

from callcenter.domain.enums import Role
from callcenter.errors import BadInput
from callcenter.web.edge import blueprint, roles_required, runtime
from callcenter.web.files import file_of
from callcenter.web.pages.reports import ReportPage
from callcenter.web.reports_view import as_table, asked_of, report_page

bp = blueprint("reports")


def _report(error: str | None = None) -> ReportPage:
    now = runtime().clock()
    asked = asked_of({} if error else request.args, now)
    with runtime().reading() as session:
        return report_page(session, asked, now, error)


@bp.get("/floor/reports")
@roles_required(Role.SUPERVISOR)
def reports() -> str | tuple[str, int]:
    """Show what was done in a period, split as asked."""
    try:
        return render_template("floor/reports.html", page=_report())
    except BadInput as problem:
        return render_template("floor/reports.html", page=_report(gettext(problem.message))), problem.status


@bp.get("/floor/reports.csv")
@roles_required(Role.SUPERVISOR)
def reports_csv() -> Response:
    """Answer with a report as CSV."""
    return _file(_report(), "csv")


@bp.get("/floor/reports.xlsx")
@roles_required(Role.SUPERVISOR)
def reports_xlsx() -> Response:
    """Answer with a report as a workbook."""
    return _file(_report(), "xlsx")


def _file(shown: ReportPage, kind: str) -> Response:
    name = f"report-{shown.by}-{shown.since}-{shown.until}"
    return file_of(name, kind, gettext("Report"), as_table(shown))

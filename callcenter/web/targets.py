"""Targets and points: the table, its files, and what is set."""

from collections.abc import Mapping
from datetime import date, datetime

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from callcenter import aiming
from callcenter.domain.enums import Role
from callcenter.domain.quality import Measure, TargetPeriod
from callcenter.errors import BadInput
from callcenter.web.edge import blueprint, roles_required, runtime, viewer, zone
from callcenter.web.pages.targets import TargetsPage
from callcenter.web.quality_files import csv_file, xlsx_file
from callcenter.web.targets_view import EARLIEST, LATEST, subject_of, table_of, targets_page

bp = blueprint("targets")


def _asked(args: Mapping[str, str], now: datetime) -> tuple[TargetPeriod, date]:
    raw = args.get("period", "")
    period = TargetPeriod(raw) if raw in set(TargetPeriod) else TargetPeriod.WEEK
    try:
        on = date.fromisoformat(args.get("on", ""))
    except ValueError:
        on = now.astimezone(zone()).date()
    return period, min(max(on, EARLIEST), LATEST)


def _page(values: Mapping[str, str] | None = None, error: str | None = None) -> TargetsPage:
    now = runtime().clock()
    period, on = _asked(request.values, now)
    with runtime().reading() as session:
        return targets_page(session, period, on, now, values or {}, error)


@bp.get("/floor/targets")
@roles_required(Role.SUPERVISOR)
def targets() -> str:
    """Show what agents and teams have reached of what they are to reach."""
    return render_template("floor/targets.html", page=_page())


@bp.get("/floor/targets.csv")
@roles_required(Role.SUPERVISOR)
def targets_csv() -> Response:
    """Answer with the table as CSV."""
    shown = _page()
    return csv_file(f"targets-{shown.period}.csv", table_of(shown))


@bp.get("/floor/targets.xlsx")
@roles_required(Role.SUPERVISOR)
def targets_xlsx() -> Response:
    """Answer with the table as a workbook."""
    shown = _page()
    return xlsx_file(f"targets-{shown.period}.xlsx", gettext("Targets"), table_of(shown))


def _whole(raw: str, problem: str) -> int:
    text = raw.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise BadInput(problem)
    return int(text)


@bp.post("/floor/targets")
@roles_required(Role.SUPERVISOR)
def set_target() -> str | tuple[str, int] | AnyResponse:
    """Set one target, or with an empty figure take it away; what cannot be taken comes back with why."""
    form = request.form.to_dict()
    try:
        subject, measure, period = subject_of(form.get("subject", "")), form.get("measure"), form.get("for")
        if subject is None or measure not in set(Measure) or period not in set(TargetPeriod):
            raise BadInput("Choose whose target it is, of what, and in which time.")
        raw = form.get("value", "").strip()
        value = _whole(raw, "A target is a whole number; leave it empty to have none.") if raw else None
        with runtime().unit_of_work() as session:
            aiming.set_targets(
                session,
                *subject,
                TargetPeriod(period),
                {Measure(measure): value},
                viewer().id,
                runtime().clock(),
            )
    except BadInput as problem:
        shown = _page(form, gettext(problem.message))
        return render_template("floor/targets.html", page=shown), problem.status
    return redirect(f"/floor/targets?period={period}")


@bp.post("/floor/targets/points")
@roles_required(Role.SUPERVISOR)
def set_points() -> str | tuple[str, int] | AnyResponse:
    """Set how many points each measure is worth from now on."""
    try:
        points = {
            one: _whole(request.form.get(f"points-{one}", ""), "Points are whole numbers from 0 to 1,000.")
            for one in Measure
        }
        with runtime().unit_of_work() as session:
            aiming.set_points(session, points, viewer().id, runtime().clock())
    except BadInput as problem:
        shown = _page(request.form.to_dict(), gettext(problem.message))
        return render_template("floor/targets.html", page=shown), problem.status
    return redirect("/floor/targets")

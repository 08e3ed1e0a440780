"""Quality: calls under review, scorecards, tags under check, and what it comes to."""

from collections.abc import Mapping
from uuid import UUID

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from callcenter import checking, reviewing
from callcenter.domain.enums import Role
from callcenter.domain.quality import Mark, ReviewReason
from callcenter.errors import BadInput, CallCenterError, NotFound, Unavailable
from callcenter.reviewing import Findings
from callcenter.web import quality_view, tags_view
from callcenter.web.call_review_view import call_review_page
from callcenter.web.edge import blueprint, roles_required, runtime, uuid_field, viewer
from callcenter.web.quality_files import report_csv
from callcenter.web.scorecard_form import form_page, read_scorecard, refused_page, scorecards_page

bp = blueprint("quality")
Answer = str | tuple[str, int] | AnyResponse
_MOST_SKIPPED = 4_000


def _days(known: tuple[int, ...], otherwise: int) -> int:
    raw = request.values.get("days", "")
    return int(raw) if raw in map(str, known) else otherwise


@bp.get("/floor/quality")
@roles_required(Role.SUPERVISOR)
def reviews() -> Answer:
    """Show which call to review next and why, disputed reviews, and those written lately."""
    return _reviews()


def _reviews(error: str | None = None, status: int = 200) -> Answer:
    skipped = frozenset(request.args.get("skip", "")[:_MOST_SKIPPED].split(",")) - {""}
    with runtime().reading() as session:
        agent = request.args.get("agent", "")
        shown = quality_view.quality_page(session, runtime().clock(), skipped, error, agent)
    return render_template("floor/quality.html", page=shown), status


@bp.post("/floor/quality/plan")
@roles_required(Role.SUPERVISOR)
def set_plan() -> Answer:
    """Set how many calls of each agent are reviewed in a week."""
    raw = request.form.get("a_week", "").strip()
    many = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 4 else 0
    try:
        with runtime().unit_of_work() as session:
            reviewing.set_plan(session, many, viewer().id, runtime().clock())
    except BadInput as problem:
        return _reviews(gettext(problem.message), problem.status)
    return redirect("/floor/quality")


@bp.get("/floor/quality/attempts/<uuid:attempt_id>")
@roles_required(Role.SUPERVISOR)
def one_call(attempt_id: UUID) -> Answer:
    """Show one call with all that is known of it, its reviews, and the form of the next."""
    return _one_call(attempt_id, request.args.to_dict())


def _one_call(attempt_id: UUID, asked: Mapping[str, str], problem: CallCenterError | None = None) -> Answer:
    error = gettext(problem.message) if problem else None
    with runtime().reading() as session:
        shown = call_review_page(runtime(), session, attempt_id, asked, runtime().clock(), error)
    html = render_template("floor/call_review.html", page=shown)
    return (html, problem.status) if problem else html


@bp.post("/floor/quality/attempts/<uuid:attempt_id>")
@roles_required(Role.SUPERVISOR)
def save_review(attempt_id: UUID) -> Answer:
    """Keep what the viewer found of a call; a form that lacks something comes back as it was typed."""
    try:
        found = _findings(request.form)
        is_admin = viewer().role == Role.ADMIN
        with runtime().unit_of_work() as session:
            reviewing.review_call(
                session, attempt_id, found, viewer().id, runtime().clock(), is_admin=is_admin
            )
    except CallCenterError as problem:
        if isinstance(problem, NotFound):
            raise
        return _one_call(attempt_id, request.form.to_dict(), problem)
    return redirect(f"/floor/quality/attempts/{attempt_id}")


def _findings(form: Mapping[str, str]) -> Findings:
    marks = {name[5:]: value for name, value in form.items() if name.startswith("mark-")}
    because = form.get("because", "")
    if not set(marks.values()) <= set(Mark):
        raise BadInput("Choose one of the marks shown.")
    return Findings(
        scorecard_id=uuid_field(form.get("scorecard", "")),
        marks={name: Mark(value) for name, value in marks.items()},
        remarks={name[7:]: _clean(text) for name, text in form.items() if name.startswith("remark-")},
        comment=_clean(form.get("comment", "")),
        because=ReviewReason(because) if because in set(ReviewReason) else ReviewReason.CHOSEN,
    )


def _clean(text: str) -> str:
    return text.replace("\x00", "")


@bp.get("/floor/quality/attempts/<uuid:attempt_id>/recording")
@roles_required(Role.SUPERVISOR)
def recording(attempt_id: UUID) -> AnyResponse:
    """Answer with a call's recording, which the carrier holds; whoever hears it stands in the audit trail."""
    with runtime().unit_of_work() as session:
        ref = reviewing.note_listened(session, attempt_id, viewer().id, runtime().clock())
    if not ref:
        raise NotFound("There is no recording of this call.")
    sound = runtime().carrier.recording(ref)
    if sound is None:
        raise Unavailable("The carrier did not give the recording. Try again in a minute.")
    answer = Response(sound, mimetype="audio/wav")
    answer.headers["Accept-Ranges"] = "bytes"
    return answer.make_conditional(request, accept_ranges=True, complete_length=len(sound))


# -- tags --------------------------------------------------------------------------------------------------


@bp.get("/floor/quality/tags")
@roles_required(Role.SUPERVISOR)
def tags() -> Answer:
    """Show the tags that evidence speaks against, and how often agents' tags stand."""
    return _tags()


def _tags(refused: tuple[str, str, str] | None = None, status: int = 200) -> Answer:
    with runtime().reading() as session:
        shown = tags_view.tags_page(session, _days(tags_view.DAYS, 7), runtime().clock(), refused)
    return render_template("floor/tags.html", page=shown), status


@bp.post("/floor/quality/tags/<uuid:attempt_id>")
@roles_required(Role.SUPERVISOR)
def check_tag(attempt_id: UUID) -> Answer:
    """Uphold a tag or correct it, with why; what a correction bars is barred at once."""
    form = request.form
    reason = _clean(form.get("reason", ""))
    try:
        with runtime().unit_of_work() as session:
            checking.check_tag(
                session,
                runtime().house,
                attempt_id,
                _clean(form.get("found", ""))[:60],
                reason,
                viewer().id,
                runtime().clock(),
                seen_code=form.get("seen", ""),
            )
    except CallCenterError as problem:
        if isinstance(problem, NotFound):
            raise
        return _tags((str(attempt_id), reason, gettext(problem.message)), problem.status)
    return redirect(f"/floor/quality/tags?days={_days(tags_view.DAYS, 7)}")


# -- report and scorecards ---------------------------------------------------------------------------------


@bp.get("/floor/quality/report")
@roles_required(Role.SUPERVISOR)
def report() -> Answer:
    """Show scores by agent and by question."""
    with runtime().reading() as session:
        shown = quality_view.report_page(session, _days(quality_view.REPORT_DAYS, 30), runtime().clock())
    return render_template("floor/quality_report.html", page=shown)


@bp.get("/floor/quality/report.csv")
@roles_required(Role.SUPERVISOR)
def report_file() -> Response:
    """Answer with the scores as CSV."""
    with runtime().reading() as session:
        shown = quality_view.report_page(session, _days(quality_view.REPORT_DAYS, 30), runtime().clock())
    return report_csv(shown)


@bp.get("/floor/quality/scorecards")
@roles_required(Role.SUPERVISOR)
def scorecards() -> Answer:
    """Show the scorecards and their versions."""
    with runtime().reading() as session:
        shown = scorecards_page(session)
    return render_template("floor/scorecards.html", page=shown)


@bp.get("/floor/quality/scorecards/new")
@roles_required(Role.SUPERVISOR)
def new_scorecard() -> Answer:
    """Show the form of a scorecard, filled as a version which a new one is made of."""
    with runtime().reading() as session:
        shown = form_page(session, request.args.get("like"))
    return render_template("floor/scorecard.html", page=shown)


@bp.post("/floor/quality/scorecards")
@roles_required(Role.SUPERVISOR)
def adopt_scorecard() -> Answer:
    """Put a scorecard in use; a form that lacks something, or asks for more rows, comes back as it was typed."""
    form = request.form.to_dict()
    if "more" in form:
        return render_template("floor/scorecard.html", page=refused_page(form, None))
    try:
        card = read_scorecard(form)
        with runtime().unit_of_work() as session:
            reviewing.adopt_scorecard(session, card, viewer().id, runtime().clock())
    except BadInput as problem:
        shown = refused_page(form, gettext(problem.message))
        return render_template("floor/scorecard.html", page=shown), problem.status
    return redirect("/floor/quality/scorecards")


@bp.post("/floor/quality/scorecards/<uuid:scorecard_id>/end")
@roles_required(Role.SUPERVISOR)
def end_scorecard(scorecard_id: UUID) -> AnyResponse:
    """Take a scorecard out of use; reviews by it stay."""
    with runtime().unit_of_work() as session:
        reviewing.end_scorecard(session, scorecard_id, viewer().id, runtime().clock())
    return redirect("/floor/quality/scorecards")

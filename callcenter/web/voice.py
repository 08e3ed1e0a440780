"""The voice of the customer: causes, suggestions, surveys; each also as a file."""

from collections.abc import Mapping
from uuid import UUID

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from callcenter import listening
from callcenter.domain.enums import Role
from callcenter.errors import BadInput, Conflict
from callcenter.web.edge import blueprint, roles_required, runtime, uuid_field, viewer
from callcenter.web.pages.voice import SuggestionsPage, SurveysPage, VoicePage
from callcenter.web.suggestions_view import PATH, suggestions_csv, suggestions_page
from callcenter.web.surveys_view import PATH as SURVEYS
from callcenter.web.surveys_view import surveys_csv, surveys_page
from callcenter.web.voice_view import causes_csv, voice_page

bp = blueprint("voice")
_ASKS = {"on": True, "off": False, "as_campaign": None}
_MOST_TYPED = 2_000


def _file(made: bytes, name: str, rows: int) -> Response:
    """Answer with a file, and write down that it was taken out."""
    with runtime().unit_of_work() as session:
        listening.hand_out_voice(session, name, rows, viewer().id, runtime().clock())
    answer = Response(made, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _voice() -> VoicePage:
    with runtime().reading() as session:
        return voice_page(session, request.args, runtime().clock())


@bp.get("/studio/voice")
@roles_required(Role.STRATEGIST)
def causes() -> str:
    """Show why customers stopped, and what agents wrote down: `journey`, `days`, `step`, `cause` choose."""
    return render_template("studio/voice.html", page=_voice())


@bp.get("/studio/voice.csv")
@roles_required(Role.STRATEGIST)
def causes_file() -> Response:
    """Answer with the causes by step as CSV."""
    shown = _voice()
    return _file(causes_csv(shown), "causes", len(shown.rows))


# -- suggestions --------------------------------------------------------------------------------------------


def _suggestions(chosen: UUID | None = None) -> SuggestionsPage:
    with runtime().reading() as session:
        return suggestions_page(session, runtime().clock(), request.args.get("state"), chosen)


@bp.get(PATH)
@roles_required(Role.STRATEGIST)
def suggestions() -> str:
    """Show the suggestions and the wishes that belong to none yet; `state` chooses."""
    return render_template("studio/suggestions.html", page=_suggestions())


@bp.get(f"{PATH}.csv")
@roles_required(Role.STRATEGIST)
def suggestions_file() -> Response:
    """Answer with the suggestions as CSV, for the product team."""
    shown = _suggestions()
    return _file(suggestions_csv(shown), "suggestions", len(shown.rows))


@bp.get(f"{PATH}/<uuid:suggestion_id>")
@roles_required(Role.STRATEGIST)
def suggestion(suggestion_id: UUID) -> str:
    """Show one suggestion with its wishes and its form."""
    return render_template("studio/suggestions.html", page=_suggestions(suggestion_id))


def _typed(*names: str) -> dict[str, str]:
    return {name: request.form.get(name, "")[:_MOST_TYPED].replace("\x00", "") for name in names}


def _again(
    problem: BadInput | Conflict, typed: Mapping[str, str], chosen: UUID | None = None
) -> tuple[str, int]:
    """Show the page as it was sent, with what is wrong."""
    ticked = request.form.getlist("wish")
    error = gettext(problem.message)
    with runtime().reading() as session:
        shown = suggestions_page(
            session, runtime().clock(), None, chosen, typed=typed, ticked=ticked, error=error
        )
    return render_template("studio/suggestions.html", page=shown), problem.status


@bp.post(PATH)
@roles_required(Role.STRATEGIST)
def group_wishes() -> AnyResponse | tuple[str, int]:
    """Make a suggestion of the wishes ticked, or add them to the one chosen (`into`)."""
    typed = _typed("title", "into")
    wishes = [uuid_field(one) for one in request.form.getlist("wish")]
    try:
        with runtime().unit_of_work() as session:
            by, now = viewer().id, runtime().clock()
            if typed["into"]:
                into = uuid_field(typed["into"])
                listening.link_wishes(session, into, wishes, by, now)
            else:
                into = listening.make_suggestion(session, typed["title"], wishes, by, now).id
    except (BadInput, Conflict) as problem:
        return _again(problem, typed)
    return redirect(f"{PATH}/{into}", 303)


@bp.post(f"{PATH}/<uuid:suggestion_id>")
@roles_required(Role.STRATEGIST)
def change_suggestion(suggestion_id: UUID) -> AnyResponse | tuple[str, int]:
    """Save title, state, owner and the word why it was declined."""
    typed = _typed("title", "state", "owner", "reason")
    try:
        owner = uuid_field(typed["owner"]) if typed["owner"] else None
        with runtime().unit_of_work() as session:
            listening.change_suggestion(
                session,
                suggestion_id,
                viewer().id,
                runtime().clock(),
                title=typed["title"],
                state=typed["state"],
                owner_id=owner,
                reason=typed["reason"],
            )
    except BadInput as problem:
        return _again(problem, typed, suggestion_id)
    return redirect(f"{PATH}/{suggestion_id}", 303)


@bp.post(f"{PATH}/<uuid:suggestion_id>/merge")
@roles_required(Role.STRATEGIST)
def merge_suggestion(suggestion_id: UUID) -> AnyResponse | tuple[str, int]:
    """Merge a suggestion into the one chosen (`into`)."""
    try:
        into = uuid_field(request.form.get("into"))
        with runtime().unit_of_work() as session:
            listening.merge_suggestions(session, suggestion_id, into, viewer().id, runtime().clock())
    except BadInput as problem:
        return _again(problem, {}, suggestion_id)
    return redirect(f"{PATH}/{into}", 303)


@bp.post(f"{PATH}/<uuid:suggestion_id>/wishes/<uuid:attempt_id>/unlink")
@roles_required(Role.STRATEGIST)
def unlink_wish(suggestion_id: UUID, attempt_id: UUID) -> AnyResponse:
    """Take a wish out of a suggestion."""
    with runtime().unit_of_work() as session:
        listening.unlink_wish(session, suggestion_id, attempt_id, viewer().id, runtime().clock())
    return redirect(f"{PATH}/{suggestion_id}", 303)


# -- surveys ------------------------------------------------------------------------------------------------


def _surveys() -> SurveysPage:
    with runtime().reading() as session:
        return surveys_page(session, request.args.get("days"), runtime().clock())


@bp.get(SURVEYS)
@roles_required(Role.STRATEGIST)
def surveys() -> str:
    """Show what customers answer after calls, and which campaigns and rules ask them."""
    return render_template("studio/surveys.html", page=_surveys())


@bp.get(f"{SURVEYS}.csv")
@roles_required(Role.STRATEGIST)
def surveys_file() -> Response:
    """Answer with the surveys' figures as CSV."""
    shown = _surveys()
    return _file(surveys_csv(shown), "surveys", len(shown.rows))


@bp.post(SURVEYS)
@roles_required(Role.STRATEGIST)
def set_survey() -> AnyResponse:
    """Let a campaign, or one of its rules, ask its customers or not."""
    typed = _typed("journey", "rule", "asks")
    if typed["asks"] not in _ASKS:
        raise BadInput("Choose whether customers are asked.")
    with runtime().unit_of_work() as session:
        listening.set_survey(
            session, typed["journey"], typed["rule"], _ASKS[typed["asks"]], viewer().id, runtime().clock()
        )
    return redirect(SURVEYS, 303)

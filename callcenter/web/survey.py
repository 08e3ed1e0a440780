"""The page a customer answers on: by a link only they have, without a sign-in, without a cookie, without a script.

The mark in the link is the proof, for looking and for sending: there is no session that another site could ride on,
and so no form token, which would keep out customers whose browsers take no cookies.
"""

from flask import Response, make_response, render_template, request
from flask_babel import gettext

from callcenter import listening
from callcenter.errors import BadInput, CallCenterError
from callcenter.listening import AlreadyAnswered
from callcenter.web.edge import LANGUAGES, blueprint, language, runtime, show_as
from callcenter.web.limits import survey_limit
from callcenter.web.pages.voice import SurveyPage

bp = blueprint("survey")
_MOST_TYPED = 2_000


def _answer(token: str, state: str, status: int = 200, **shown: object) -> Response:
    made = SurveyPage(
        organisation=runtime().settings.bank_name,
        language=language(),
        theme="auto",
        csrf_token="",
        token=token if state == "open" else "",
        state=state,
        **shown,  # type: ignore[arg-type]
    )
    answer = make_response(render_template("survey/page.html", page=made), status)
    answer.headers["Referrer-Policy"] = "no-referrer"
    if status == 429:
        answer.headers["Retry-After"] = "60"
    return answer


def _speak(asked: str) -> None:
    """Speak the language chosen on the page, else the one the bank knows of the customer, else the browser's."""
    wanted = request.values.get("language", "")
    spoken = wanted if wanted in LANGUAGES else asked
    if spoken in LANGUAGES:
        show_as(spoken, "UTC")


def _refused(token: str, problem: CallCenterError) -> Response:
    state = "done" if isinstance(problem, AlreadyAnswered) else "gone"
    return _answer(token, state, problem.status, message=gettext(problem.message))


def _is_busy(token: str) -> bool:
    return not survey_limit(runtime(), request.remote_addr or "", token)


@bp.get("/s/<token>")
def survey(token: str) -> Response:
    """Show the two questions to whoever has a link that works; looking changes nothing."""
    _speak("")
    if _is_busy(token):
        return _answer(token, "busy", 429)
    try:
        with runtime().reading() as session:
            row = listening.survey_asked(session, runtime().survey_key, token, runtime().clock())
    except (listening.LinkUnknown, AlreadyAnswered) as problem:
        return _refused(token, problem)
    _speak(row.language)
    return _answer(token, "open")


@bp.post("/s/<token>")
def take_answer(token: str) -> Response:
    """Take the one answer; what cannot be taken comes back as it was typed."""
    _speak("")
    if _is_busy(token):
        return _answer(token, "busy", 429)
    raw, typed = request.form.get("score", ""), request.form.get("answer", "")[:_MOST_TYPED]
    score = int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 2 else None
    try:
        with runtime().unit_of_work() as session:
            listening.take_answer(session, runtime().survey_key, token, score, typed, runtime().clock())
    except (listening.LinkUnknown, AlreadyAnswered) as problem:
        return _refused(token, problem)
    except BadInput as problem:
        return _answer(
            token, "open", problem.status, score=score, answer=typed, error=gettext(problem.message)
        )
    return _answer(token, "done")

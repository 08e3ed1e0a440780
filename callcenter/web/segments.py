"""Segments: which there are, a new one, one with its customers; and the tags agents may give."""

from uuid import UUID

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response as AnyResponse

from callcenter import segmenting
from callcenter.domain.enums import Role
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import Segment
from callcenter.segments.in_words import segment_in_words
from callcenter.segments.policy import MOST_ROWS
from callcenter.segments.queries import TookTooLong, size_of
from callcenter.segments.rules import read_segment
from callcenter.web.console import console_now
from callcenter.web.edge import blueprint, language, roles_required, runtime, viewer
from callcenter.web.segment_form import EMPTY, definition_of, typed_from
from callcenter.web.segments_view import (
    PATH,
    customers_known,
    new_segment_page,
    segment_page,
    segments_page,
)
from callcenter.web.voice_view import as_csv

bp = blueprint("segments")
Typed = tuple[dict[str, str], list[dict[str, str]]]


@bp.get(PATH)
@roles_required(Role.STRATEGIST)
def segments() -> str:
    """Show all segments in words with their sizes, and the tags agents may give."""
    with runtime().reading() as session:
        return render_template("studio/segments.html", page=segments_page(session))


@bp.get(f"{PATH}/new")
@roles_required(Role.STRATEGIST)
def new_segment() -> str:
    """Show the form for a new segment."""
    with runtime().reading() as session:
        return render_template("studio/segment.html", page=new_segment_page(session))


@bp.post(f"{PATH}/new")
@roles_required(Role.STRATEGIST)
def make_segment() -> AnyResponse | tuple[str, int]:
    """Take the form of a new segment; `do` says which button was pressed."""
    return _act(None)


@bp.get(f"{PATH}/<key>")
@roles_required(Role.STRATEGIST)
def segment(key: str) -> str:
    """Show one segment: its form, its size, some of its customers."""
    with runtime().reading() as session:
        return render_template("studio/segment.html", page=segment_page(session, _kept(session, key)))


@bp.post(f"{PATH}/<key>")
@roles_required(Role.STRATEGIST)
def change_segment(key: str) -> AnyResponse | tuple[str, int]:
    """Take the form of a kept segment; `do` says which button was pressed."""
    with runtime().reading() as session:
        _kept(session, key)
    return _act(key)


def _kept(session: Session, key: str) -> Segment:
    row = session.get(Segment, key)
    if row is None or row.ended_at is not None:
        raise NotFound("There is no such segment. Load the page again.")
    return row


def _act(key: str | None) -> AnyResponse | tuple[str, int]:
    """Add or remove a row, count whom the draft would hold, or save it."""
    typed = typed_from(request.form)
    do = request.form.get("do", "save")
    _, rows = typed
    if do == "add-row" and len(rows) < MOST_ROWS:
        rows.append(dict(EMPTY))
    elif do.startswith("remove-row-") and do[11:].isdigit() and int(do[11:]) < len(rows):
        rows.pop(int(do[11:]))
    elif do == "look":
        return _look(key, typed)
    elif do == "save":
        return _save(key, typed)
    return _shown(key, typed), 200


def _save(key: str | None, typed: Typed) -> AnyResponse | tuple[str, int]:
    values, rows = typed
    try:
        with runtime().unit_of_work() as session:
            raw = definition_of(values, rows, segmenting.known_here(session), key)
            now = runtime().clock()
            if key is None:
                row = segmenting.make_segment(session, raw, viewer().id, now)
            else:
                row = segmenting.change_segment(session, key, raw, viewer().id, now)
    except BadInput as problem:
        return _shown(key, typed, problem), problem.status
    except Conflict as problem:
        return _shown(key, typed, BadInput(problem.message, {"key": [problem.message]})), problem.status
    return redirect(f"{PATH}/{row.key}", 303)


def _look(key: str | None, typed: Typed) -> tuple[str, int]:
    """Count whom the draft would hold now; nothing is kept."""
    values, rows = typed
    with runtime().reading() as session:
        known = segmenting.known_here(session)
        try:
            # The key may still be missing: what is counted does not depend on it.
            raw = definition_of(values, rows, known, key or "draft")
            spec = read_segment({**raw, "title": raw["title"] or {"en": "-"}}, known)
        except BadInput as problem:
            return _shown(key, typed, problem), problem.status
        words, of = segment_in_words(spec, known, language()), customers_known(session)
        try:
            size = size_of(session, spec, known, runtime().clock())
        except TookTooLong:
            note = gettext("Counting took too long. Save it: it is worked out beside your work.")
            return _shown(key, typed, words=words, note=note), 200
    return _shown(key, typed, words=words, looked=size, of=of), 200


def _shown(key: str | None, typed: Typed, problem: BadInput | None = None, **more: object) -> str:
    problems = {name: gettext(texts[0]) for name, texts in problem.fields.items()} if problem else {}
    with runtime().reading() as session:
        if key is None:
            shown = new_segment_page(session, typed, problems=problems, **more)
        else:
            shown = segment_page(session, _kept(session, key), typed, problems=problems, **more)
    return render_template("studio/segment.html", page=shown)


@bp.post(f"{PATH}/<key>/end")
@roles_required(Role.STRATEGIST)
def end_segment(key: str) -> AnyResponse:
    """End a segment that no rule speaks of."""
    with runtime().unit_of_work() as session:
        segmenting.end_segment(session, key, viewer().id, runtime().clock())
    return redirect(PATH, 303)


@bp.get(f"{PATH}/<key>/customers.csv")
@roles_required(Role.STRATEGIST)
def members_file(key: str) -> Response:
    """Answer with the customers of a segment by the bank's own ids, as CSV."""
    with runtime().unit_of_work() as session:
        found = segmenting.hand_out_members(session, key, viewer().id, runtime().clock())
    made = as_csv([["external_id", "language", "city"], *([*one] for one in found)])
    answer = Response(made, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="segment-{key}.csv"'
    return answer


# -- tags of agents -----------------------------------------------------------------------------------------


@bp.post(f"{PATH}/tags")
@roles_required(Role.STRATEGIST)
def add_tag() -> AnyResponse | tuple[str, int]:
    """Let agents give a tag."""
    values = {
        name: request.form.get(name, "").replace("\x00", "").strip()[:100] for name in ("code", "en", "zh")
    }
    try:
        with runtime().unit_of_work() as session:
            label = {lang: values[lang] for lang in ("en", "zh")}
            segmenting.add_agent_tag(session, values["code"], label, viewer().id, runtime().clock())
    except (BadInput, Conflict) as problem:
        with runtime().reading() as session:
            shown = segments_page(session, values, gettext(problem.message))
        return render_template("studio/segments.html", page=shown), problem.status
    return redirect(f"{PATH}#tags", 303)


@bp.post(f"{PATH}/tags/<code>/give-up")
@roles_required(Role.STRATEGIST)
def give_up_tag(code: str) -> AnyResponse:
    """Let agents give a tag no longer; who has it keeps it."""
    with runtime().unit_of_work() as session:
        segmenting.give_up_agent_tag(session, code, viewer().id, runtime().clock())
    return redirect(f"{PATH}#tags", 303)


@bp.post("/console/call-tasks/<uuid:call_task_id>/tags")
@roles_required(Role.AGENT)
def tag_customer(call_task_id: UUID) -> Response:
    """Give the customer before the agent a tag of the list, or take it away (`on` 0)."""
    code = request.form.get("tag", "")[:60].replace("\x00", "")
    adds = request.form.get("on") == "1"
    with runtime().unit_of_work() as session:
        segmenting.tag_customer(session, call_task_id, code, viewer().id, runtime().clock(), adds=adds)
    return console_now()

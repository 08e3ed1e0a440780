"""Lists of customers to call that a supervisor brings in: look first, then do, undo for a while."""

from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from callcenter import list_acts
from callcenter.domain.enums import Purpose, Role
from callcenter.errors import BadInput, CallCenterError, NotFound
from callcenter.intake.list_files import MAX_BYTES, MAX_REASON, FileRefused
from callcenter.models import ListImport
from callcenter.partner_lists import ListWanted
from callcenter.partners import Partner
from callcenter.web.edge import blueprint, render_refusal, roles_required, runtime, viewer
from callcenter.web.lists_view import FILES, list_page, lists_page, refused_table
from callcenter.web.quality_files import csv_file

bp = blueprint("lists_floor")
Answer = str | tuple[str, int] | AnyResponse


def _form(values: Mapping[str, str], problem: str | None = None, status: int = 200) -> Answer:
    with runtime().reading() as session:
        shown = lists_page(session, values, problem)
    return render_template("floor/lists.html", page=shown), status


@bp.errorhandler(413)
def too_large(_: RequestEntityTooLarge) -> Response:
    """Say what to do about a file that is not even read: it is past what any request may hold."""
    return render_refusal(413, "too_large", str(FILES["too_large"]), None)


@bp.get("/floor/lists")
@roles_required(Role.SUPERVISOR)
def lists() -> Answer:
    """Show the form of a list, and the lists brought in lately."""
    return _form({})


@bp.post("/floor/lists")
@roles_required(Role.SUPERVISOR)
def look_at_list() -> Answer:
    """Read a file and say what would become of each row; nothing is opened yet."""
    try:
        values = request.form.to_dict()
        name, body = _file()
        wanted = _wanted(values, name)
        by = Partner(None, viewer().name, viewer().id)
        digest = sha256(body).hexdigest()
        with runtime().unit_of_work() as session:
            row = list_acts.draft_list(session, runtime().house, by, wanted, digest, body, runtime().clock())
            list_id = row.id
    except FileRefused as problem:
        code = (problem.fields or {}).get("file", [""])[0]
        return _form(values, str(FILES.get(code, problem.message)), problem.status)
    except CallCenterError as problem:
        if isinstance(problem, NotFound):
            raise
        return _form(values, gettext(problem.message), problem.status)
    return redirect(f"/floor/lists/{list_id}")


def _file() -> tuple[str, bytes]:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise BadInput("Choose a CSV or XLSX file.")
    name = "".join(one for one in sent.filename if one.isprintable())[-120:]
    body = sent.stream.read(MAX_BYTES + 1)
    return name, body


def _wanted(values: Mapping[str, str], name: str) -> ListWanted:
    journey, _, step = values.get("about", "").partition("/")
    raw, purpose = values.get("priority", "").strip() or "50", values.get("purpose", "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 4 and int(raw) <= 100):
        raise BadInput("Priority is a whole number from 0 to 100.")
    if purpose not in set(Purpose):
        raise BadInput("Choose what the calls are for.")
    reason = values.get("reason", "").replace("\x00", "").strip()
    if not reason:
        raise BadInput("Say why these customers are called; agents read it.")
    return ListWanted(
        name=name,
        journey=journey.replace("\x00", ""),
        step=step.replace("\x00", "") or None,
        reason=reason[:MAX_REASON],
        priority=int(raw),
        purpose=Purpose(purpose),
    )


def _row(session: Session, list_id: UUID) -> ListImport:
    row = session.get(ListImport, list_id)
    if row is None or row.user_id is None:
        raise NotFound("There is no such list. A list that nobody confirmed is forgotten after a day.")
    return row


def _one(list_id: UUID) -> str:
    with runtime().reading() as session:
        shown = list_page(session, _row(session, list_id), runtime().clock())
    return render_template("floor/list.html", page=shown)


@bp.get("/floor/lists/<uuid:list_id>")
@roles_required(Role.SUPERVISOR)
def one_list(list_id: UUID) -> str:
    """Show what would become of a list, or what has."""
    return _one(list_id)


@bp.get("/floor/lists/<uuid:list_id>/state")
@roles_required(Role.SUPERVISOR)
def list_state(list_id: UUID) -> str:
    """Answer with how far a list is."""
    return _one(list_id)


@bp.get("/floor/lists/<uuid:list_id>/refused.csv")
@roles_required(Role.SUPERVISOR)
def refused_rows(list_id: UUID) -> Response:
    """Answer with every row that opens nothing, and why, as CSV."""
    with runtime().reading() as session:
        rows = list(refused_table(_row(session, list_id)))
    return csv_file("refused-rows.csv", rows)


@bp.post("/floor/lists/<uuid:list_id>/do")
@roles_required(Role.SUPERVISOR)
def begin_list(list_id: UUID) -> AnyResponse:
    """Let a list be worked through; pressed twice it is done once."""
    with runtime().unit_of_work() as session:
        list_acts.begin_list(session, list_id, viewer().id, runtime().clock())
    return redirect(f"/floor/lists/{list_id}")


@bp.post("/floor/lists/<uuid:list_id>/undo")
@roles_required(Role.SUPERVISOR)
def undo_list(list_id: UUID) -> AnyResponse:
    """Cancel what a list has opened and nobody has touched since."""
    with runtime().unit_of_work() as session:
        list_acts.undo_list(session, list_id, viewer().id, runtime().clock())
    return redirect(f"/floor/lists/{list_id}")

"""Lists of customers to call, sent as CSV or XLSX in the body: small ones are read at once, large ones by a job."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from sqlmodel import Session
from werkzeug.exceptions import RequestEntityTooLarge

from callcenter import partner_lists
from callcenter.domain.enums import Purpose
from callcenter.domain.partners import Scope
from callcenter.intake.call_lists import list_with
from callcenter.intake.list_files import MAX_BYTES, SMALL, FileRefused, ReadList, read_list
from callcenter.partner_lists import ListWanted
from callcenter.reporting import partner_reads
from callcenter.web.api import answers, presenting, schemas
from callcenter.web.api.guard import blueprint, needs, partner, reads, writes
from callcenter.web.api.paging import page_of, paged
from callcenter.web.edge import runtime

Body = dict[str, Any]
bp = blueprint("lists", "Lists of customers to call.")
_FILE: Body = {"schema": {"type": "string", "format": "binary"}}
ASK_AGAIN_S = 2
_LOCATION: Body = {
    "Location": {
        "description": "Where to ask how far the list is.",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.route("/lists", methods=["POST"])
@bp.doc(requestBody={"required": True, "content": {"text/csv": _FILE, _XLSX: _FILE}})
@bp.arguments(schemas.ListWanted, location="query")
@bp.response(202, answers.ListShown, headers=_LOCATION)
@needs(Scope.LISTS_WRITE)
@writes
def take_list(session: Session, data: Body) -> tuple[Body, int]:
    """Send a list of up to 10,000 customers to call, as CSV or XLSX in the body.

    The first row names the columns; external_id is needed. The list is worked through in the background; GET the
    Location of the answer to see how far it is, and which rows were refused. The gate is asked for each call when
    its turn comes. A file of more than 64 KB is read in the background too: its state is "reading" first, and
    "failed" if it turns out to be no list. With dry_run=true nobody is called: the answer names every row that
    would be refused, and why; of a file of more than 64 KB the Location does, once its state is "checked".
    """
    wanted = ListWanted(
        name=data["name"],
        journey=data["journey"],
        step=data.get("step"),
        reason=data["reason"],
        priority=data["priority"],
        purpose=Purpose(data["purpose"]),
        expires_at=data.get("expires_at"),
    )
    body, now = _body(), runtime().clock()
    digest, is_dry_run = sha256(body).hexdigest(), bool(data["dry_run"])
    if len(body) > SMALL:
        row = partner_lists.keep_large_file(
            session, partner(), wanted, digest, body, now, is_dry_run=is_dry_run
        )
        return presenting.call_list(row, most_refused=None), 202
    read = partner_lists.check_list(session, wanted, read_list(body))
    if is_dry_run:
        return _dry_run(wanted, read), 202
    row = partner_lists.take_list(session, partner(), wanted, digest, read, now)
    return presenting.call_list(row, most_refused=None), 202


def _say_where(response: Response) -> Response:
    """Add where to ask how far a list is; to an answer that is given again too."""
    if request.method == "POST" and response.status_code == 202:
        told = response.get_json()
        if list_id := told["list_id"]:
            response.headers["Location"] = url_for("lists.get_list", list_id=list_id)
            if told["state"] in ("reading", "working"):
                response.headers["Retry-After"] = str(ASK_AGAIN_S)
    return response


bp.after_request(_say_where)


def _body() -> bytes:
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        raise FileRefused("too_large", f"it is larger than {MAX_BYTES // 1024} KB; send several") from None


def _dry_run(wanted: ListWanted, read: ReadList) -> Body:
    refused = [{"number": one.number, "code": one.code, "message": one.message} for one in read.refused]
    return {
        "list_id": None,
        "name": wanted.name,
        "is_dry_run": True,
        "state": "checked",
        "rows_total": len(read.rows) + len(refused),
        "rows_done": 0,
        "tasks_opened": 0,
        "refused_total": len(refused),
        "refused": refused,
        "ignored_columns": read.ignored_columns,
        "failed": None,
        "created_at": None,
        "ended_at": None,
    }


@bp.route("/lists", methods=["GET"])
@bp.arguments(schemas.Since, location="query")
@bp.response(200, answers.Lists)
@needs(Scope.LISTS_WRITE)
@reads
def lists(session: Session, asked: Body) -> Body:
    """List the lists that came, in their order, each with the first of its refused rows."""
    page = page_of(asked)
    rows = partner_reads.lists(session, page)
    return paged(rows, page, presenting.call_list, lambda row: (row[0].created_at, row[0].id))


@bp.route("/lists/<uuid:list_id>", methods=["GET"])
@bp.response(200, answers.ListShown)
@needs(Scope.LISTS_WRITE)
@reads
def get_list(session: Session, list_id: UUID) -> Body:
    """Return one list: how far it is, and every row that was refused."""
    return presenting.call_list(list_with(session, list_id), most_refused=None)

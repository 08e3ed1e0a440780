"""Customers over the API: told, read, tagged, barred."""

from dataclasses import replace
from typing import Any

from marshmallow import ValidationError
from sqlmodel import Session

from callcenter import partners
from callcenter.compliance import ledger_queries
from callcenter.compliance.ledgers import NewSuppression
from callcenter.domain.enums import Purpose, SuppressionKind, SuppressionScope
from callcenter.domain.partners import Scope
from callcenter.intake import directory
from callcenter.intake.directory import Refused, Told
from callcenter.intake.policy import MAX_ID
from callcenter.intake.profiles import read_number
from callcenter.models import Customer
from callcenter.partners import CustomerUnknown, Stored
from callcenter.web.api import answers, presenting, schemas
from callcenter.web.api.guard import blueprint, needs, partner, reads, writes
from callcenter.web.api.problems import Unprocessable, problem_body
from callcenter.web.edge import runtime

Body = dict[str, Any]
bp = blueprint("customers", "People the bank may call, their tags, and who must not be called.")
_OWN = ("name", "phone", "time_zone", "language", "gender", "city", "tags")
_ROW = schemas.CustomerRow()


def told_of(external_id: str, data: Body) -> Told:
    """Return a customer as intake's profile reader takes it."""
    own = {name: data[name] for name in _OWN if name in data}
    return Told(external_id, {**data.get("traits", {}), **own})


def _named(session: Session, external_id: str) -> Customer:
    found = directory.customer_named(session, external_id)
    if found is None:
        raise CustomerUnknown("There is no customer of this id. Send the customer first.")
    return found


@bp.route("/customers/<external_id>", methods=["PUT"])
@bp.arguments(schemas.Customer)
@bp.response(200, answers.CustomerKept)
@needs(Scope.CUSTOMERS_WRITE)
@writes
def put_customer(session: Session, data: Body, external_id: str) -> Body | tuple[Body, int]:
    """Create a customer, or change what is said of one.

    The number and the time zone are checked; a wrong one refuses the whole with 422, code invalid_phone or
    unknown_time_zone.
    """
    _check_id(external_id)
    (kept,) = partners.tell_customers(session, partner(), [told_of(external_id, data)], runtime().clock())
    if isinstance(kept, Refused):
        field = "phone" if kept.code == "invalid_phone" else "time_zone"
        return problem_body(422, kept.code, kept.message, fields={field: [kept.message]}), 422
    return {"customer_id": str(kept.customer_id), "external_id": external_id, "is_new": kept.is_new}


def _check_id(external_id: str) -> None:
    if len(external_id) > MAX_ID:
        text = f"at most {MAX_ID} letters"
        raise Unprocessable(f"The customer's id has {text}.", {"external_id": [text]})


@bp.route("/customers/<external_id>", methods=["GET"])
@bp.response(200, answers.CustomerShown)
@needs(Scope.CUSTOMERS_READ)
@reads
def get_customer(session: Session, external_id: str) -> Body:
    """Return a customer by the bank's own id."""
    return presenting.customer(_named(session, external_id))


@bp.route("/customers/bulk", methods=["POST"])
@bp.arguments(schemas.Bulk)
@bp.response(200, answers.BulkKept)
@needs(Scope.CUSTOMERS_WRITE)
@writes
def put_customers(session: Session, data: Body) -> Body:
    """Create or change up to 1,000 customers at once; each is told what became of it."""
    checked = [_check_row(row) for row in data["customers"]]
    good = [one for one in checked if isinstance(one, Told)]
    kept = iter(partners.tell_customers(session, partner(), good, runtime().clock()))
    results = [
        _result(index, one, next(kept) if isinstance(one, Told) else one) for index, one in enumerate(checked)
    ]
    stored = sum(one["status"] == "stored" for one in results)
    return {"stored": stored, "refused": len(results) - stored, "results": results}


def _check_row(row: Body) -> Told | Refused:
    try:
        data: Body = _ROW.load(row)
    except ValidationError as error:
        names = ", ".join(sorted(map(str, error.messages_dict)))
        return Refused("invalid_request", f"Something is missing or not allowed: {names}.")
    return told_of(data["external_id"], data)


def _result(index: int, told: Told | Refused, became: Stored | Refused) -> Body:
    known = {"index": index, "external_id": told.external_id if isinstance(told, Told) else None}
    if isinstance(became, Refused):
        refused = {"status": "refused", "code": became.code, "message": became.message}
        return {**known, **refused, "customer_id": None, "is_new": None}
    stored = {"status": "stored", "customer_id": str(became.customer_id), "is_new": became.is_new}
    return {**known, **stored, "code": None, "message": None}


@bp.route("/customers/<external_id>/tags", methods=["POST"])
@bp.arguments(schemas.Tags)
@bp.response(200, answers.TagsShown)
@needs(Scope.CUSTOMERS_WRITE)
@writes
def add_tags(session: Session, data: Body, external_id: str) -> Body:
    """Add tags to a customer; those there are stay."""
    one = partners.change_tags(session, partner(), external_id, runtime().clock(), add=data["tags"])
    return {"customer_id": str(one.id), "tags": one.tags}


@bp.route("/customers/<external_id>/tags/<tag>", methods=["DELETE"])
@bp.response(200, answers.TagsShown)
@needs(Scope.CUSTOMERS_WRITE)
@writes
def remove_tag(session: Session, external_id: str, tag: str) -> Body:
    """Take a tag from a customer; one that is not there is no error."""
    one = partners.change_tags(session, partner(), external_id, runtime().clock(), remove=[tag])
    return {"customer_id": str(one.id), "tags": one.tags}


@bp.route("/customers/<external_id>/suppressions", methods=["GET"])
@bp.response(200, answers.SuppressionsShown)
@needs(Scope.CUSTOMERS_READ)
@reads
def suppressions(session: Session, external_id: str) -> Body:
    """Return what is in force against calls to a customer: entries about the person or the number, and lists."""
    one, key = _named(session, external_id), runtime().house.gate.number_key
    entries = ledger_queries.entries_of_customer(session, key, one, runtime().clock())
    lists = ledger_queries.lists_with(session, key, one.number) if one.number else []
    return {
        "items": [presenting.suppression(entry) for entry in entries if entry.in_force],
        "lists": [presenting.listed(entry) for entry in lists],
    }


@bp.route("/suppressions", methods=["POST"])
@bp.arguments(schemas.SuppressionWanted)
@bp.response(201, answers.SuppressionKept)
@needs(Scope.SUPPRESSIONS_WRITE)
@writes
def add_suppression(session: Session, data: Body) -> tuple[Body, int]:
    """Bar calls to a customer, a number or both, at once. Taking a bar back needs two people, here in the house."""
    number = None
    if raw := data.get("number"):
        number = read_number(raw)
        if number is None:
            text = "not a valid number in international form (+86...)"
            raise Unprocessable(f"number is {text}.", {"number": [text]})
    new = NewSuppression(
        kind=SuppressionKind(data["kind"]),
        source=f"api: {partner().name}",
        scope=SuppressionScope(data["scope"]),
        number=number,
        campaign=data.get("campaign"),
        reason=data["reason"],
        proof=data["proof"],
        expires_at=data.get("expires_at"),
    )
    if "purpose" in data:
        new = replace(new, purpose=Purpose(data["purpose"]))
    now = runtime().clock()
    row = partners.bar(session, runtime().house, partner(), new, data.get("external_id"), now)
    return presenting.suppression_kept(row), 201

"""What compliance officers do: ask for a change, decide another's, bar somebody, pause a campaign."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from callcenter import gatekeeping
from callcenter.compliance.ledgers import MAX_TEXT, NewSuppression
from callcenter.compliance.packs_text import MOST_CHARACTERS
from callcenter.domain.enums import Purpose, Role, SuppressionKind, SuppressionScope
from callcenter.errors import BadInput, Conflict
from callcenter.gatekeeping import NewConsent
from callcenter.web.compliance_ledgers import number_page, read_number
from callcenter.web.compliance_packs import checked_proposal
from callcenter.web.edge import blueprint, roles_required, runtime, viewer, zone

bp = blueprint("compliance_acts")
_text = validate.Length(max=MAX_TEXT)


class _Form(Schema):
    """A form of the compliance pages."""

    class Meta:
        """The form carries the CSRF token too, which is not ours to check."""

        unknown = EXCLUDE


class BarSchema(_Form):
    """Whom to bar from which calls, and why."""

    customer_id = fields.UUID(load_default=None)
    number = fields.String(load_default="")
    kind = fields.Enum(SuppressionKind, by_value=True, required=True)
    reach = fields.String(load_default="global")
    source = fields.String(required=True, validate=_text)
    reason = fields.String(load_default="", validate=_text)
    until = fields.Date(load_default=None)


class ConsentSchema(_Form):
    """A consent the bank holds a proof of."""

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    text_version = fields.String(required=True, validate=_text)
    proof = fields.String(required=True, validate=_text)
    given_on = fields.Date(required=True)
    until = fields.Date(load_default=None)
    why = fields.String(required=True)


class WithdrawalSchema(_Form):
    """A consent taken back."""

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    proof = fields.String(load_default="", validate=_text)


def _read(schema: Schema) -> dict[str, object]:
    """Check the form; an empty field is one that was left out."""
    try:
        sent = {name: value.strip() for name, value in request.form.items() if value.strip()}
        loaded: dict[str, object] = schema.load(sent)
    except ValidationError:
        raise BadInput(gettext("Something is missing or not allowed. Look at the fields.")) from None
    return loaded


def _answer(href: str) -> AnyResponse:
    """Answer an act with the page it was made on; 303, so that it is got and not sent again."""
    return redirect(href, 303)


def _go_to(href: str) -> AnyResponse:
    """Answer an act by going to another page, also where a script sent the form."""
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": href})
    return redirect(href, 303)


@bp.post("/compliance/changes/<int:change_id>/<any(approve,refuse):act>")
@roles_required(Role.COMPLIANCE)
def decide(change_id: int, act: str) -> AnyResponse:
    """Approve or refuse a change somebody else asked for."""
    with runtime().unit_of_work() as session:
        gatekeeping.decide(
            session,
            runtime().house,
            change_id,
            viewer().id,
            runtime().clock(),
            approved=act == "approve",
            note=request.form.get("note", ""),
        )
    return _answer(f"/compliance/changes/{change_id}")


@bp.post("/compliance/packs/new")
@roles_required(Role.COMPLIANCE)
def propose_version() -> str | AnyResponse | tuple[str, int]:
    """Check the text of a new version, or ask for it; a file that is sent takes the text's place."""
    form, now = request.form, runtime().clock()
    sent = request.files.get("file")
    text = form.get("text", "")
    if sent is not None and sent.filename:
        text = sent.stream.read(MOST_CHARACTERS * 4).decode("utf-8", "replace")
    why = form.get("why", "")
    if form.get("do") == "propose":
        try:
            with runtime().unit_of_work() as session:
                row = gatekeeping.propose_pack_version(session, runtime().house, text, why, viewer().id, now)
                href = f"/compliance/changes/{row.id}"
            return _go_to(href)
        except (BadInput, Conflict) as error:
            is_why = isinstance(error, Conflict) or "why" in error.fields
            return _checked(text, why, gettext(error.message) if is_why else None), error.status
    return _checked(text, why)


def _checked(text: str, why: str, why_problem: str | None = None) -> str:
    with runtime().reading() as session:
        page = checked_proposal(
            session, request.args.get("pack", "")[:40], text, why, runtime().clock(), why_problem
        )
    return render_template("compliance/proposal.html", page=page)


@bp.post("/compliance/suppressions")
@roles_required(Role.COMPLIANCE)
def bar() -> str | AnyResponse:
    """Bar a person or a number, at once."""
    form, now = _read(BarSchema()), runtime().clock()
    customer_id, raw = form["customer_id"], str(form["number"])
    number = read_number(raw) if raw else None
    with runtime().unit_of_work() as session:
        gatekeeping.bar(session, runtime().house, _new_bar(form, customer_id, number), viewer().id, now)
    if customer_id is not None:
        return _answer(f"/compliance/people/{customer_id}")
    assert number is not None
    with runtime().reading() as reading:
        page = number_page(reading, number, now, gettext("The bar counts from now on."))
    return render_template("compliance/person.html", page=page)


def _new_bar(form: dict[str, object], customer_id: object, number: str | None) -> NewSuppression:
    reach, _, of = str(form["reach"]).partition(":")
    try:
        scope = SuppressionScope(reach)
        purpose = Purpose(of) if scope is SuppressionScope.PURPOSE else None
    except ValueError:
        raise BadInput(gettext("Choose how far the bar reaches.")) from None
    until = form["until"]
    return NewSuppression(
        kind=SuppressionKind(str(form["kind"])),
        source=str(form["source"]),
        scope=SuppressionScope.NUMBER if customer_id is None and scope is SuppressionScope.GLOBAL else scope,
        customer_id=customer_id if isinstance(customer_id, UUID) else None,
        number=number,
        purpose=purpose,
        campaign=of if scope is SuppressionScope.CAMPAIGN else None,
        reason=str(form["reason"]),
        expires_at=_end_of(until),
    )


def _end_of(day: object) -> datetime | None:
    """The end of a day in the viewer's zone; None for no day."""
    if not isinstance(day, date):
        return None
    return datetime.combine(day + timedelta(days=1), time(), zone()).astimezone(UTC)


@bp.post("/compliance/suppressions/<int:suppression_id>/lift")
@roles_required(Role.COMPLIANCE)
def propose_lift(suppression_id: int) -> AnyResponse:
    """Ask that a bar be lifted; somebody else decides."""
    with runtime().unit_of_work() as session:
        row = gatekeeping.propose_lift(
            session, suppression_id, request.form.get("why", ""), viewer().id, runtime().clock()
        )
        href = f"/compliance/changes/{row.id}"
    return _go_to(href)


@bp.post("/compliance/people/<uuid:customer_id>/consents")
@roles_required(Role.COMPLIANCE)
def propose_consent(customer_id: UUID) -> AnyResponse:
    """Ask that a consent be kept; somebody else decides."""
    form, now = _read(ConsentSchema()), runtime().clock()
    given = datetime.combine(form["given_on"], time(), zone()).astimezone(UTC)  # type: ignore[arg-type]
    new = NewConsent(
        customer_id=customer_id,
        purpose=Purpose(str(form["purpose"])),
        text_version=str(form["text_version"]),
        proof=str(form["proof"]),
        at=given,
        expires_at=_end_of(form["until"]),
    )
    with runtime().unit_of_work() as session:
        row = gatekeeping.propose_consent(session, new, str(form["why"]), viewer().id, now)
        href = f"/compliance/changes/{row.id}"
    return _go_to(href)


@bp.post("/compliance/people/<uuid:customer_id>/withdraw")
@roles_required(Role.COMPLIANCE)
def withdraw_consent(customer_id: UUID) -> AnyResponse:
    """Keep that a customer takes their consent back, at once."""
    form = _read(WithdrawalSchema())
    with runtime().unit_of_work() as session:
        gatekeeping.withdraw_consent(
            session,
            customer_id,
            Purpose(str(form["purpose"])),
            str(form["proof"]),
            viewer().id,
            runtime().clock(),
        )
    return _answer(f"/compliance/people/{customer_id}")


@bp.post("/compliance/lists/<int:list_id>/retire")
@roles_required(Role.COMPLIANCE)
def propose_retire(list_id: int) -> AnyResponse:
    """Ask that a list bar no more calls; somebody else decides."""
    with runtime().unit_of_work() as session:
        row = gatekeeping.propose_retire_list(
            session, list_id, request.form.get("why", ""), viewer().id, runtime().clock()
        )
        href = f"/compliance/changes/{row.id}"
    return _go_to(href)


@bp.post("/compliance/campaigns/<campaign>/<any(pause,resume):act>")
@roles_required(Role.COMPLIANCE)
def pause_campaign(campaign: str, act: str) -> AnyResponse:
    """Pause a campaign, or let it go on."""
    with runtime().unit_of_work() as session:
        gatekeeping.pause_campaign(session, campaign, viewer().id, runtime().clock(), paused=act == "pause")
    return _answer("/compliance")


@bp.post("/compliance/campaigns/<campaign>/hours")
@roles_required(Role.COMPLIANCE)
def set_hours(campaign: str) -> AnyResponse:
    """Give a campaign calling hours of its own, or take them away."""
    form = request.form
    with runtime().unit_of_work() as session:
        gatekeeping.set_hours(
            session,
            campaign,
            (form.get("opens", ""), form.get("closes", "")),
            viewer().id,
            runtime().clock(),
        )
    return _answer("/compliance")


@bp.post("/compliance/clock")
@roles_required(Role.COMPLIANCE)
def confirm_clock() -> AnyResponse:
    """Confirm that the clock is right though records lie ahead of it."""
    with runtime().unit_of_work() as session:
        gatekeeping.confirm_clock(session, viewer().id, runtime().clock())
    return _answer("/compliance")

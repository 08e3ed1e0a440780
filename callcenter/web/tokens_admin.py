"""Administration: tokens for the bank's other systems, issued and taken back; one is shown once."""

import secrets
from datetime import datetime, timedelta

from flask import redirect, render_template, request
from flask_babel import gettext
from sqlmodel import col, select
from werkzeug.wrappers import Response as AnyResponse

from callcenter import partner_acts
from callcenter.accounts.tokens import USUAL_REQUESTS, NewToken, tokens
from callcenter.domain.partners import Scope
from callcenter.errors import BadInput, CallCenterError
from callcenter.models import ApiToken, User
from callcenter.web.edge import blueprint, frame, roles_required, runtime
from callcenter.web.pages import partners as page
from callcenter.web.partners_frame import tabs, viewer_as_actor

bp = blueprint("tokens_admin")
_DAYS = ("30", "90", "365", "")
"""For how long a token may work; empty: until it is revoked."""


def new_token() -> str:
    """Return a token nobody can guess: 256 bits."""
    return "cc_" + secrets.token_urlsafe(32)


def scope_words() -> dict[str, str]:
    """What each scope lets a token do."""
    return {
        Scope.CUSTOMERS_READ: gettext("read customers and what bars calls to them"),
        Scope.CUSTOMERS_WRITE: gettext("create and change customers, tag them"),
        Scope.TASKS_READ: gettext("read call tasks and callbacks"),
        Scope.TASKS_WRITE: gettext("ask for calls, cancel them, promise callbacks"),
        Scope.OUTCOMES_READ: gettext("read attempts, dispositions and conversions"),
        Scope.SUPPRESSIONS_WRITE: gettext("bar calls to a customer or number"),
        Scope.LISTS_WRITE: gettext("send lists of customers to call"),
        Scope.WEBHOOKS_MANAGE: gettext("add, change and replay webhooks"),
    }


@bp.get("/admin/api-tokens")
@roles_required()
def api_tokens() -> str:
    """Show which systems have tokens, what they may do, and when they were last seen."""
    return render_template("admin/api_tokens.html", page=_tokens())


def _tokens() -> page.TokensPage:
    now = runtime().clock()
    with runtime().reading() as session:
        names = dict(session.execute(select(User.id, User.name).where(col(User.is_active))).all())
        rows = tuple(
            _row(one, names.get(one.created_by) if one.created_by else None, now) for one in tokens(session)
        )
    return page.TokensPage(frame("systems"), tabs("tokens"), rows)


def _row(one: ApiToken, by: str | None, now: datetime) -> page.TokenRow:
    assert one.id is not None
    is_over = one.expires_at is not None and one.expires_at <= now
    return page.TokenRow(
        id=one.id,
        name=one.name,
        hint=one.hint,
        scopes=tuple(one.scopes),
        state="revoked" if one.revoked_at else "ended" if is_over else "works",
        requests_per_minute=one.requests_per_minute,
        created_at=one.created_at,
        created_by=by,
        expires_at=one.expires_at,
        revoked_at=one.revoked_at,
        last_used_at=one.last_used_at,
    )


@bp.get("/admin/api-tokens/new")
@roles_required()
def new_api_token() -> str:
    """Show the form of a new token."""
    return render_template("admin/new_api_token.html", page=_form())


def _form(error: str | None = None) -> page.NewTokenPage:
    ticked = request.form.getlist("scopes")
    return page.NewTokenPage(
        frame("systems"),
        tuple(page.Tick(scope, about, scope in ticked) for scope, about in scope_words().items()),
        name=request.form.get("name", ""),
        days=request.form.get("days", "90"),
        requests=request.form.get("requests", ""),
        usual_requests=USUAL_REQUESTS,
        error=error,
    )


@bp.post("/admin/api-tokens")
@roles_required()
def add_api_token() -> str | tuple[str, int]:
    """Issue a token and show it this once; a form that cannot be accepted comes back with why."""
    token, now = new_token(), runtime().clock()
    try:
        with runtime().unit_of_work() as session:
            made = partner_acts.issue_token(session, _wanted(now), token, viewer_as_actor(), now)
    except CallCenterError as error:
        if error.status not in (400, 409):
            raise
        return render_template("admin/new_api_token.html", page=_form(gettext(error.message))), error.status
    shown = page.SecretPage(
        frame=frame("systems"),
        title=gettext("Token of %(name)s", name=made.name),
        secret=token,
        is_token=True,
        href="/admin/api-tokens",
        address=runtime().settings.public_base_url.rstrip("/"),
    )
    return render_template("admin/new_secret.html", page=shown)


def _wanted(now: datetime) -> NewToken:
    form = request.form
    days, requests = form.get("days", ""), form.get("requests", "").strip()
    if days not in _DAYS or (
        requests and not (requests.isascii() and requests.isdigit() and len(requests) < 9)
    ):
        raise BadInput(gettext("Choose for how long, and give requests a minute as a number."))
    return NewToken(
        form.get("name", "").replace("\x00", ""),
        tuple(form.getlist("scopes")),
        now + timedelta(days=int(days)) if days else None,
        int(requests) if requests else USUAL_REQUESTS,
    )


@bp.post("/admin/api-tokens/<int:token_id>/revoke")
@roles_required()
def revoke_api_token(token_id: int) -> str | AnyResponse:
    """Take a token back at once and for good."""
    if token_id >= 2**62:
        raise BadInput(gettext("That id is not one. Reload the page and try again."))
    with runtime().unit_of_work() as session:
        partner_acts.revoke_token(session, token_id, viewer_as_actor(), runtime().clock())
    if not request.headers.get("HX-Request"):
        return redirect("/admin/api-tokens")
    return render_template("admin/_api_tokens.html", page=_tokens())

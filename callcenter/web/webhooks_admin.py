"""Administration: whom we tell what happened, each telling, and telling again."""

from uuid import UUID

from flask import redirect, render_template, request
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response as AnyResponse

from callcenter import partner_acts
from callcenter.domain.partners import DeliveryState, WebhookKind
from callcenter.errors import BadInput, CallCenterError
from callcenter.models import WebhookDelivery, WebhookEndpoint
from callcenter.web.api.hooks import allows_loopback, new_secret
from callcenter.web.edge import blueprint, frame, roles_required, runtime
from callcenter.web.formats import number
from callcenter.web.pages import partners as page
from callcenter.web.pages.studio import Choice
from callcenter.web.partners_frame import tabs, viewer_as_actor
from callcenter.webhooks import queries
from callcenter.webhooks.queries import Counts
from callcenter.webhooks.rules import NewEndpoint

bp = blueprint("webhooks_admin")
SHOWN = 100


def kind_words() -> dict[str, str]:
    """What each kind tells."""
    return {
        WebhookKind.CALL_TASK_OPENED: gettext("a call task was opened"),
        WebhookKind.CALL_TASK_CLOSED: gettext("a call task was completed or canceled"),
        WebhookKind.ATTEMPT_ENDED: gettext("a dial ended, and how"),
        WebhookKind.DISPOSITION_SAVED: gettext("an agent said what came of a call"),
        WebhookKind.DISPOSITION_CORRECTED: gettext("a supervisor corrected what an agent had said of a call"),
        WebhookKind.OUTCOME_CONVERTED: gettext("a customer reached the goal in time"),
        WebhookKind.CUSTOMER_OPTED_OUT: gettext("a customer wants no more calls"),
        WebhookKind.CONSENT_CHANGED: gettext("a consent was given or taken back"),
        WebhookKind.OFFER_GRANTED: gettext("an agent granted an offer on a call"),
        WebhookKind.OFFER_TAKEN_BACK: gettext("an agent took an offer back before the wrap-up was saved"),
        WebhookKind.SURVEY_INVITED: gettext("a customer is to get the link of a survey"),
    }


def _href(endpoint_id: UUID) -> str:
    return f"/admin/webhooks/{endpoint_id}"


def _row(one: WebhookEndpoint, counts: Counts) -> page.EndpointRow:
    return page.EndpointRow(
        id=str(one.id),
        url=one.url,
        href=_href(one.id),
        kinds=tuple(one.kinds),
        is_enabled=one.is_enabled,
        pending=counts.pending,
        failed=counts.failed,
        delivered=counts.delivered,
        last_delivered_at=counts.last_delivered_at,
        rests_until=one.rests_until if one.rests_until and one.rests_until > runtime().clock() else None,
    )


@bp.get("/admin/webhooks")
@roles_required()
def webhooks() -> str:
    """Show whom we tell, and how that goes."""
    with runtime().reading() as session:
        counts = queries.counts(session)
        rows = tuple(_row(one, counts.get(one.id, Counts())) for one in queries.endpoints(session))
    return render_template(
        "admin/webhooks.html", page=page.EndpointsPage(frame("systems"), tabs("webhooks"), rows)
    )


@bp.get("/admin/webhooks/new")
@roles_required()
def new_webhook() -> str:
    """Show the form of a new endpoint."""
    return render_template("admin/new_webhook.html", page=_form())


def _form(error: str | None = None) -> page.NewEndpointPage:
    ticked = request.form.getlist("kinds")
    kinds = tuple(page.Tick(kind, about, kind in ticked) for kind, about in kind_words().items())
    return page.NewEndpointPage(frame("systems"), kinds, request.form.get("url", ""), error)


@bp.post("/admin/webhooks")
@roles_required()
def add_webhook() -> str | tuple[str, int]:
    """Add an endpoint and show its secret this once; a form that cannot be accepted comes back with why."""
    secret = new_secret()
    new = NewEndpoint(request.form.get("url", "").strip(), tuple(request.form.getlist("kinds")))
    try:
        with runtime().unit_of_work() as session:
            made = partner_acts.add_endpoint(
                session,
                new,
                secret,
                viewer_as_actor(),
                runtime().clock(),
                allows_loopback=allows_loopback(),
            )
    except CallCenterError as error:
        if error.status not in (400, 409):
            raise
        return render_template("admin/new_webhook.html", page=_form(gettext(error.message))), error.status
    return _secret(made, secret)


def _secret(one: WebhookEndpoint, secret: str) -> str:
    shown = page.SecretPage(
        frame=frame("systems"),
        title=gettext("Secret of a webhook"),
        secret=secret,
        is_token=False,
        href=_href(one.id),
        address=one.url,
        other_ends_at=one.former_ends_at,
    )
    return render_template("admin/new_secret.html", page=shown)


@bp.get("/admin/webhooks/<uuid:endpoint_id>")
@roles_required()
def webhook(endpoint_id: UUID) -> str:
    """Show one endpoint with its deliveries: `show` narrows them to a state, `before` goes on to older ones."""
    with runtime().reading() as session:
        shown = _page(session, endpoint_id)
    return render_template("admin/webhook.html", page=shown)


@bp.get("/admin/webhooks/<uuid:endpoint_id>/state")
@roles_required()
def webhook_state(endpoint_id: UUID) -> str:
    """Answer with the endpoint as it is now."""
    with runtime().reading() as session:
        shown = _page(session, endpoint_id)
    return render_template("admin/_webhook.html", page=shown)


def _page(session: Session, endpoint_id: UUID) -> page.EndpointPage:
    one = queries.endpoint_with(session, endpoint_id)
    counts = queries.counts(session).get(one.id, Counts())
    asked, before = request.values.get("show", ""), request.args.get("before", "")
    state = DeliveryState(asked) if asked in list(DeliveryState) else None
    after = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    rows = queries.deliveries(session, one.id, state, before=after, limit=SHOWN + 1)
    shown, goes_on = rows[:SHOWN], len(rows) > SHOWN
    here = f"?show={state.value if state else ''}"
    return page.EndpointPage(
        frame=frame("systems", live_url="/live/studio", state_url=f"{_href(one.id)}/state{here}"),
        endpoint=_row(one, counts),
        tabs=_tabs(one.id, state, counts),
        deliveries=tuple(map(_delivery, shown)),
        older_href=f"{_href(one.id)}{here}&before={shown[-1].id}" if goes_on else None,
        created_by=one.created_by,
        former_ends_at=one.former_ends_at
        if one.former_ends_at and one.former_ends_at > runtime().clock()
        else None,
    )


def _tabs(endpoint_id: UUID, state: DeliveryState | None, counts: Counts) -> tuple[Choice, ...]:
    everything = counts.pending + counts.failed + counts.delivered
    labels = {
        None: gettext("All, %(n)s", n=number(everything)),
        DeliveryState.PENDING: gettext("Waiting, %(n)s", n=number(counts.pending)),
        DeliveryState.FAILED: gettext("Failed, %(n)s", n=number(counts.failed)),
        DeliveryState.DELIVERED: gettext("Delivered, %(n)s", n=number(counts.delivered)),
    }
    return tuple(
        Choice(words, f"{_href(endpoint_id)}?show={one.value if one else ''}", one == state)
        for one, words in labels.items()
    )


def _delivery(one: WebhookDelivery) -> page.DeliveryRow:
    assert one.id is not None
    return page.DeliveryRow(
        id=one.id,
        event_id=str(one.event_id),
        kind=one.kind,
        state=one.state,
        tries=one.tries,
        created_at=one.created_at,
        due_at=one.due_at,
        said=str(one.last_status) if one.last_status else error_words().get(one.last_error or ""),
        response=one.response,
    )


def error_words() -> dict[str, str]:
    """Why an endpoint could not be told, in words."""
    return {
        "timeout": gettext("did not answer in time"),
        "connection": gettext("could not be reached"),
        "unknown_host": gettext("its name is not known"),
        "address_not_allowed": gettext("its name leads to a private address"),
        "tls": gettext("its certificate is not valid"),
        "endpoint_removed": gettext("the webhook was removed"),
    }


@bp.post("/admin/webhooks/<uuid:endpoint_id>/<any(enable,disable):act>")
@roles_required()
def switch_webhook(endpoint_id: UUID, act: str) -> str | AnyResponse:
    """Switch an endpoint on or off."""
    with runtime().unit_of_work() as session:
        partner_acts.switch_endpoint(
            session, endpoint_id, viewer_as_actor(), runtime().clock(), enabled=act == "enable"
        )
    return _back(endpoint_id)


@bp.post("/admin/webhooks/<uuid:endpoint_id>/secret")
@roles_required()
def rotate_webhook_secret(endpoint_id: UUID) -> str:
    """Make a new secret and show it this once; the one before signs beside it for a day."""
    secret = new_secret()
    with runtime().unit_of_work() as session:
        one = partner_acts.rotate_secret(session, endpoint_id, secret, viewer_as_actor(), runtime().clock())
    return _secret(one, secret)


@bp.post("/admin/webhooks/<uuid:endpoint_id>/remove")
@roles_required()
def remove_webhook(endpoint_id: UUID) -> AnyResponse:
    """Tell an endpoint nothing any more."""
    with runtime().unit_of_work() as session:
        partner_acts.remove_endpoint(session, endpoint_id, viewer_as_actor(), runtime().clock())
    return redirect("/admin/webhooks")


@bp.post("/admin/webhooks/<uuid:endpoint_id>/replay")
@roles_required()
def replay_webhook(endpoint_id: UUID) -> str | AnyResponse:
    """Tell one fact again (`delivery`), or all that have failed."""
    raw = request.form.get("delivery", "")
    if raw and not (raw.isascii() and raw.isdigit() and len(raw) < 19):
        raise BadInput(gettext("That number is not one. Reload the page and try again."))
    with runtime().unit_of_work() as session:
        partner_acts.replay(
            session, endpoint_id, int(raw) if raw else None, viewer_as_actor(), runtime().clock()
        )
    return _back(endpoint_id)


def _back(endpoint_id: UUID) -> str | AnyResponse:
    if not request.headers.get("HX-Request"):
        return redirect(_href(endpoint_id))
    with runtime().reading() as session:
        shown = _page(session, endpoint_id)
    return render_template("admin/_webhook.html", page=shown)

"""Studio: the catalog of what agents may grant on a call."""

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from callcenter import offering
from callcenter.domain.enums import Role
from callcenter.errors import BadInput
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.offer_form import Unreadable, read_terms, typed
from callcenter.web.offers_view import catalog_page, new_offer_page, offer_page

bp = blueprint("studio_offers")
Shown = str | tuple[str, int] | AnyResponse


@bp.get("/studio/offers")
@roles_required(Role.STRATEGIST)
def offers() -> str:
    """Show the catalog."""
    return _catalog("studio/offers.html")


@bp.get("/studio/offers/state")
@roles_required(Role.STRATEGIST)
def offers_state() -> str:
    """Answer with the catalog as it is now."""
    return _catalog("studio/_offers.html")


def _catalog(template: str) -> str:
    with runtime().reading() as session:
        shown = catalog_page(session, runtime().clock())
    return render_template(template, page=shown)


@bp.get("/studio/offers/new")
@roles_required(Role.STRATEGIST)
def new_offer() -> str:
    """Show the form of a new offer."""
    with runtime().reading() as session:
        shown = new_offer_page(session)
    return render_template("studio/offer.html", page=shown)


@bp.post("/studio/offers/new")
@roles_required(Role.STRATEGIST)
def add_offer() -> Shown:
    """Add an offer; a form that cannot be accepted comes back with why, and with what was typed."""
    code = request.form.get("code", "").strip()
    try:
        terms = read_terms(request.form, runtime().clock())
        with runtime().unit_of_work() as session:
            offering.add_offer(session, code, terms, viewer().id, runtime().clock())
    except (Unreadable, offering.OfferRefused) as wrong:
        with runtime().reading() as session:
            shown = new_offer_page(session, *typed(request.form), wrong.problems)
        return render_template("studio/offer.html", page=shown), 400
    return redirect("/studio/offers", 303)


@bp.get("/studio/offers/<code>")
@roles_required(Role.STRATEGIST)
def offer(code: str) -> str:
    """Show one offer, to read and to change."""
    with runtime().reading() as session:
        shown = offer_page(session, code, runtime().clock())
    return render_template("studio/offer.html", page=shown)


@bp.post("/studio/offers/<code>")
@roles_required(Role.STRATEGIST)
def change_offer(code: str) -> Shown:
    """Change an offer as of now."""
    seen = request.form.get("version", type=int)
    if seen is None:
        raise BadInput("Say which version the change was made to. Open the offer again.")
    try:
        terms = read_terms(request.form, runtime().clock())
        with runtime().unit_of_work() as session:
            offering.change_offer(session, code, terms, seen, viewer().id, runtime().clock())
    except (Unreadable, offering.OfferRefused) as wrong:
        with runtime().reading() as session:
            shown = offer_page(session, code, runtime().clock(), *typed(request.form), wrong.problems)
        return render_template("studio/offer.html", page=shown), 400
    return redirect(f"/studio/offers/{code}", 303)


@bp.post("/studio/offers/<code>/<any(end,resume):act>")
@roles_required(Role.STRATEGIST)
def end_offer(code: str, act: str) -> AnyResponse:
    """End an offer, or let it run again."""
    with runtime().unit_of_work() as session:
        offering.end_offer(session, code, viewer().id, runtime().clock(), ended=act == "end")
    return redirect(f"/studio/offers/{code}", 303)

"""The floor as it is now, for the page, for its stream and for the answers to acts."""

from urllib.parse import parse_qsl, urlsplit

from flask import current_app, render_template, request
from flask_wtf.csrf import generate_csrf

from callcenter import outbox
from callcenter.web.edge import language, runtime, viewer, zone
from callcenter.web.floor_asked import Asked, asked_of
from callcenter.web.floor_view import floor_page
from callcenter.web.pages.floor import FloorPage
from callcenter.web.shared_state import CSRF_MARK, Shared, SharedStates


def _asked() -> Asked:
    """What the viewer looks at: as asked, or, after an act, as on the page they acted on."""
    if request.method == "POST":
        return asked_of(dict(parse_qsl(urlsplit(request.headers.get("HX-Current-URL", "")).query)))
    return asked_of(request.args)


def floor_page_now() -> FloorPage:
    """Return the floor in the viewer's words."""
    with runtime().reading() as session:
        return floor_page(session, runtime().clock(), _asked())


def floor_state_now() -> str:
    """Return the floor's live part in the viewer's words, made once for all who ask after the same change."""
    return _shared(runtime().times_rung(outbox.FLOOR)).html.replace(CSRF_MARK, generate_csrf())


def floor_event(rung: int) -> str:
    """Return it as an event of a stream, as it is after so many rings of the floor's channel."""
    return _shared(rung).event.replace(CSRF_MARK, generate_csrf())


def _shared(rung: int | None) -> Shared:
    states: SharedStates = current_app.extensions.setdefault("floor_states", SharedStates())

    def make() -> tuple[str, frozenset[str]]:
        page = floor_page_now()
        html = render_template("floor/_body.html", page=page)
        return html.replace(generate_csrf(), CSRF_MARK), page.own_of

    key = (language(), zone().key, _asked())
    return states.get(runtime(), outbox.FLOOR, key, str(viewer().id), rung, make)

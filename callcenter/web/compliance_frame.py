"""What the compliance pages share: the frame with its badge, an administrator's tabs, people's names."""

from collections.abc import Mapping
from dataclasses import replace

from flask_babel import gettext
from sqlmodel import Session

from callcenter.compliance.policies import Gate
from callcenter.compliance.reads import count_waiting
from callcenter.domain.enums import Role
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Customer
from callcenter.web.edge import chosen, frame, runtime, viewer
from callcenter.web.formats import label
from callcenter.web.pages.compliance import Tabs
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice
from callcenter.web.words import mask_number

PLACES = (
    ("gate", "/compliance"),
    ("packs", "/compliance/packs"),
    ("ledgers", "/compliance/ledgers"),
    ("decisions", "/compliance/decisions"),
    ("what_if", "/compliance/what-if"),
    ("trail", "/compliance/audit"),
)


def gate_frame(session: Session, here: str, state_url: str | None = None) -> tuple[Frame, Tabs]:
    """Return the frame of a compliance page, and the tabs of an administrator, who has one place for all."""
    is_officer = viewer().role == Role.COMPLIANCE
    head = frame(here if is_officer else "gate", state_url=state_url)
    waiting = count_waiting(session)
    nav = tuple(replace(one, badge=waiting) if one.code == "gate" else one for one in head.nav)
    tabs = () if is_officer else tuple(Choice(label(code), href, code == here) for code, href in PLACES)
    return replace(head, nav=nav), tabs


def gate() -> Gate:
    """Return the house's gate."""
    return runtime().house.gate


def campaign_titles(session: Session) -> Mapping[str, str]:
    """Return the journeys' titles in the viewer's language, by key."""
    return {key: chosen(dict(one.title), key) for key, one in journeys_loaded(session).items()}


def person_name(customer: Customer | None) -> str:
    """What a customer is called on these pages: the name, else the bank's id, else that they were forgotten."""
    if customer is None:
        return gettext("Not known any more")
    return customer.name or customer.external_id or gettext("Name not known")


def masked(number: str | None) -> str:
    """A number of which only the ends are shown."""
    return mask_number(number)

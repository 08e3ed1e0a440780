"""What the floor's pages share: the frame, and tabs for an administrator, who has one place for all of them."""

from callcenter.domain.enums import Role
from callcenter.web.edge import frame, viewer
from callcenter.web.formats import label
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice

PLACES = (
    ("floor", "/floor"),
    ("queue", "/floor/queue"),
    ("alerts", "/floor/alerts"),
    ("reports", "/floor/reports"),
    ("quality", "/floor/quality"),
    ("wallboard", "/floor/wallboard"),
)


def part_frame(here: str, state_url: str | None = None) -> tuple[Frame, tuple[Choice, ...]]:
    """Return the frame of one of the floor's pages, and the tabs of somebody whose navigation has no room."""
    is_admin = viewer().role == Role.ADMIN
    head = frame("floor" if is_admin else here, state_url=state_url)
    tabs = tuple(Choice(label(code), href, code == here) for code, href in PLACES) if is_admin else ()
    return head, tabs

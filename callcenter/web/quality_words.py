"""Reviews and checks of tags in the viewer's words, and what their pages share."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlmodel import Session, col, select

from callcenter.domain.quality import Contradiction, Mark, Measure, ReviewReason, TargetPeriod
from callcenter.models import Agent, DispositionKind, User
from callcenter.quality.rules import ReviewState
from callcenter.web.edge import chosen, zone
from callcenter.web.floor_frame import part_frame
from callcenter.web.pages.quality import Part
from callcenter.web.pages.studio import Choice

PARTS = (
    ("reviews", "/floor/quality", _l("Reviews")),
    ("tags", "/floor/quality/tags", _l("Tags under check")),
    ("report", "/floor/quality/report", _l("Report")),
    ("scorecards", "/floor/quality/scorecards", _l("Scorecards")),
)
MARKS = {
    Mark.MET: _l("Met"),
    Mark.PARTLY: _l("Partly"),
    Mark.NOT_MET: _l("Not met"),
    Mark.NOT_ASKED: _l("Does not fit"),
}
STATES = {
    ReviewState.NEW: _l("Not answered"),
    ReviewState.ACKNOWLEDGED: _l("Acknowledged"),
    ReviewState.DISPUTED: _l("Disputed"),
    ReviewState.SETTLED: _l("Settled by a second review"),
}
REASONS = {
    ReviewReason.RANDOM: _l("Drawn by chance"),
    ReviewReason.COMPLAINT: _l("A complaint is on record, or the note speaks of one"),
    ReviewReason.CONTRADICTED: _l("Telephone or events speak against its tag"),
    ReviewReason.SHORT_WRAP_UP: _l("The wrap-up was very short"),
    ReviewReason.CHOSEN: _l("Chosen by hand"),
    ReviewReason.DISPUTED: _l("The first review is disputed"),
}
EVIDENCE = {
    Contradiction.CONVERTED_NOT_SEEN: _l("Tagged as converted, but the journey's events show no conversion."),
    Contradiction.TALKED_NOT_REACHED: _l("Tagged as nobody reached, but somebody was on the line."),
    Contradiction.REACHED_TOO_SHORT: _l("Tagged as reached, but the talk was too short for a greeting."),
    Contradiction.DO_NOT_CALL_IN_NOTE: _l("The note says no more calls, but the tag does not."),
}
MEASURES = {
    Measure.ATTEMPTS: _l("Attempts"),
    Measure.RIGHT_PARTY: _l("Right-party contacts"),
    Measure.VERIFIED: _l("Verified conversions"),
    Measure.QUALITY: _l("Quality score"),
    Measure.KEPT_CALLBACKS: _l("Kept callbacks"),
}
PERIODS = {TargetPeriod.DAY: _l("Day"), TargetPeriod.WEEK: _l("Week"), TargetPeriod.MONTH: _l("Month")}


def quality_part(here: str) -> Part:
    """Return the frame of one of the pages of quality, and the switch between them."""
    head, tabs = part_frame("quality")
    return Part(head, tabs, tuple(Choice(str(text), href, code == here) for code, href, text in PARTS))


def agent_names(session: Session) -> dict[str, str]:
    """Return agents' names by id."""
    rows = session.exec(select(Agent.id, User.name).join(User, col(User.id) == col(Agent.id)))
    return {str(key): name for key, name in rows}


def user_names(session: Session) -> dict[str, str]:
    """Return everybody's names by id."""
    return {str(key): name for key, name in session.exec(select(User.id, User.name))}


def tag_names(session: Session) -> dict[str, str]:
    """Return what the dispositions are called, those offered no longer too."""
    kinds = session.exec(select(DispositionKind).order_by(col(DispositionKind.position)))
    return {one.code: chosen(one.label, one.code) for one in kinds}


def week_of(now: datetime) -> tuple[str, datetime]:
    """Return the name of the viewer's week and the moment it began."""
    local = now.astimezone(zone())
    monday = (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02d}", monday


def tone_of(score: int, pass_mark: int) -> str:
    """Return how a score looks beside its pass mark."""
    return "good" if score >= pass_mark else "bad"

"""Keep segments' definitions and what was found of them, and the list of tags agents may give."""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import AgentTag, Segment
from callcenter.segments import policy
from callcenter.segments.rules import SegmentSpec, as_written

_CODE = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")
TOOK_TOO_LONG = "took_too_long"
NO_LONGER_FITS = "no_longer_fits"


def lock_segment(session: Session, key: str) -> Segment | None:
    """Return a segment, ended ones too, locked until the commit."""
    return session.exec(
        select(Segment).where(Segment.key == key).with_for_update().execution_options(populate_existing=True)
    ).first()


def keep_segment(session: Session, spec: SegmentSpec, user_id: UUID, now: datetime) -> Segment:
    """Keep a new segment, or one that had ended. Raises Conflict when its key is taken or there are too many."""
    row = lock_segment(session, spec.key)
    if row is not None and row.ended_at is None:
        raise Conflict("There is a segment of this key. Choose another key.")
    if row is not None and not row.is_settled:
        raise Conflict("The segment that had this key is still being emptied. Try again in a minute.")
    count = session.exec(select(func.count()).where(col(Segment.ended_at).is_(None))).one()
    if count >= policy.MOST_SEGMENTS:
        raise Conflict("There are 100 segments, which is enough. End one first.")
    if row is None:
        row = Segment(key=spec.key, created_at=now, created_by=user_id, changed_at=now)
        session.add(row)
    row.created_at, row.created_by, row.ended_at = now, user_id, None
    row.tried_at = row.computed_at = row.size = row.trouble = None
    write_segment(row, spec, now)
    session.flush()
    return row


def write_segment(row: Segment, spec: SegmentSpec, now: datetime) -> bool:
    """Write a locked segment anew, to be worked out at once; False when it says the same."""
    wanted = (dict(spec.title), as_written(spec))
    if wanted == (row.title, row.definition):
        return False
    is_other = row.definition != wanted[1]
    row.title, row.definition = wanted
    if is_other:
        row.changed_at, row.is_settled, row.trouble = now, False, None
    return True


def open_segment(session: Session, key: str) -> Segment:
    """Return a segment that has not ended, locked. Raises NotFound."""
    row = lock_segment(session, key)
    if row is None or row.ended_at is not None:
        raise NotFound("There is no such segment. Load the page again.")
    return row


def end_segment(row: Segment, now: datetime) -> None:
    """End a locked segment; its customers are taken out of it soon after."""
    row.ended_at, row.changed_at, row.is_settled = now, now, False


def note_found(row: Segment, size: int, took_ms: int, now: datetime) -> None:
    """Note on a locked segment how many are in it."""
    row.size, row.took_ms, row.tried_at, row.computed_at, row.trouble = size, took_ms, now, now, None


def note_settled(row: Segment, *, is_settled: bool) -> None:
    """Note whether every customer says what was found."""
    row.is_settled = is_settled


def note_trouble(row: Segment, code: str, now: datetime) -> None:
    """Note that a segment could not be worked out; who is in it stays as it was."""
    row.trouble, row.tried_at = code, now


# -- tags of agents -----------------------------------------------------------------------------------------


def add_agent_tag(
    session: Session, code: str, label: Mapping[str, str], user_id: UUID, now: datetime
) -> AgentTag:
    """Let agents give a tag; one given up before comes back. Raises BadInput, Conflict."""
    label = {lang: text.strip() for lang, text in label.items() if text.strip()}
    if not _CODE.match(code):
        text = "Give a code of lower-case letters, digits, _ or -."
        raise BadInput(text, {"code": [text]})
    if not label or any(len(text) > policy.MOST_TEXT for text in label.values()):
        text = "Give the tag's words in one language at least, of at most 80 letters."
        raise BadInput(text, {"label": [text]})
    row = session.get(AgentTag, code, with_for_update=True, populate_existing=True)
    if row is not None and row.is_active:
        raise Conflict("There is a tag of this code. Choose another code.")
    count = session.exec(select(func.count()).where(col(AgentTag.is_active))).one()
    if count >= policy.MOST_AGENT_TAGS:
        raise Conflict("There are 50 tags, which is enough. Give one up first.")
    if row is None:
        row = AgentTag(code=code, created_at=now, created_by=user_id)
        session.add(row)
    row.label, row.is_active = dict(label), True
    session.flush()
    return row


def give_up_agent_tag(session: Session, code: str) -> bool:
    """Let agents give a tag no longer; customers keep it. False when it was so. Raises NotFound."""
    row = session.get(AgentTag, code, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such tag. Load the page again.")
    was, row.is_active = row.is_active, False
    return was

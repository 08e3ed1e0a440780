"""What speaks against a disposition, by what telephone, events and the agent's own note say. Pure."""

import re
from datetime import datetime, timedelta

from callcenter.domain.quality import Contradiction, TagFacts

TOO_SHORT_SECONDS = 5
"""In less nobody can have been reached: a greeting alone takes longer."""
TALKED_SECONDS = 20
"""After so much talk somebody was on the line; a machine's announcement is dropped before."""
HUMAN_TALKED_SECONDS = 5
"""The same where the carrier has heard a human pick up."""
SEEN_WITHIN = timedelta(hours=24)
"""A conversion on the call shows in the journey's events at once; after a day it will not any more."""

_DO_NOT_CALL = re.compile(
    r"\b(?:do not|don'?t|dont|never|stop|no more)\s+(?:ever\s+|be\s+)?call(?:s|ed|ing)?\b"
    r"(?!\s+(?:before|after|until|till|on|at|in)\b)"
    r"|\b(?:take|remove|strike)\s+(?:me|him|her|them|\w+)?\s*(?:off|from)\s+(?:the|your)\s+(?:call\s+)?list"
    r"|(?:不要|别|勿|不准|禁止)(?:再)?(?:给我|给他|给她)?(?:打|来|致)(?:电话|电|了)|(?:不要|别)再打|请勿来电|勿扰|拒绝来电",
    re.IGNORECASE,
)
_COMPLAINT = re.compile(r"\bcomplain|\bombudsman\b|\bharass|投诉|举报|骚扰|银保监|监管局", re.IGNORECASE)


def asks_not_to_be_called(note: str) -> bool:
    """Whether a note says that the customer wants no more calls."""
    return bool(_DO_NOT_CALL.search(note))


def speaks_of_complaint(note: str) -> bool:
    """Whether a note speaks of a complaint."""
    return bool(_COMPLAINT.search(note))


def contradictions_of(facts: TagFacts, now: datetime) -> tuple[Contradiction, ...]:
    """Return all that speaks against a tag, the gravest first; nothing where nothing does.

    A conversion counts as not seen once its watch has ended or a day has passed, whichever is first, and only
    where the journey's events are watched.
    """
    found = []
    if not facts.do_not_call and asks_not_to_be_called(facts.note):
        found.append(Contradiction.DO_NOT_CALL_IN_NOTE)
    seen_until = facts.tagged_at + SEEN_WITHIN
    if facts.watched_until is not None:
        seen_until = min(seen_until, facts.watched_until)
    if facts.converted and facts.conversion_seen is False and now >= seen_until:
        found.append(Contradiction.CONVERTED_NOT_SEEN)
    if facts.reached and facts.talk_seconds < TOO_SHORT_SECONDS:
        found.append(Contradiction.REACHED_TOO_SHORT)
    enough = HUMAN_TALKED_SECONDS if facts.heard_human else TALKED_SECONDS
    if not facts.reached and not facts.heard_machine and facts.talk_seconds >= enough:
        found.append(Contradiction.TALKED_NOT_REACHED)
    return tuple(found)

"""What an agent's work state follows from, and who of the free agents gets a call task; pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.domain.enums import (
    AttemptState,
    ForceEffect,
    NotReadyReason,
    OfferWay,
    Presence,
    Requirement,
    WorkState,
)
from callcenter.domain.needs import Able, Need, suits
from callcenter.routing.policy import RELAX_EVERY, SILENT_BROWSER


def work_state_of(attempt: AttemptState) -> WorkState:
    """Return what the agent does while their attempt is in this state."""
    if attempt is AttemptState.ENDED:
        return WorkState.WRAPPING
    if attempt in (AttemptState.ANSWERED, AttemptState.BRIDGED):
        return WorkState.TALKING
    return WorkState.DIALING


def is_silent(seen_at: datetime | None, now: datetime) -> bool:
    """Whether an agent's console counts as closed: nobody would see an offer there."""
    return seen_at is None or seen_at <= now - SILENT_BROWSER


CHOSEN_REASONS = tuple(
    one for one in NotReadyReason if one not in (NotReadyReason.MISSED_OFFER, NotReadyReason.AWAY)
)
"""Why somebody may be set not ready; the others are for the product to find."""


def state_shown(
    presence: str, presence_at: datetime, work_state: str, work_state_at: datetime
) -> tuple[str, datetime]:
    """Return what is told of an agent, and since when: the work under way first, then what they want."""
    if work_state != WorkState.IDLE:
        return WorkState(work_state).value, work_state_at
    if presence == Presence.AVAILABLE:
        return WorkState.IDLE.value, max(work_state_at, presence_at)
    return Presence(presence).value, presence_at


def effect_of_forcing(wanted: Presence, work_state: WorkState) -> ForceEffect:
    """Return what a supervisor's setting of an agent's presence would do to what the agent is at.

    A call and its wrap-up are the agent's until they are saved; an open offer goes to somebody else, unless the
    agent is to be available, who may then take it.
    """
    if work_state is WorkState.IDLE:
        return ForceEffect.AT_ONCE
    if work_state in (WorkState.RESERVED, WorkState.PREVIEWING):
        return ForceEffect.AT_ONCE if wanted is Presence.AVAILABLE else ForceEffect.OFFER_BACK
    return ForceEffect.AFTER_WRAP_UP if work_state is WorkState.WRAPPING else ForceEffect.AFTER_CALL


def may_be_offered(presence: Presence, work_state: WorkState) -> bool:
    """Whether a call task may be offered to an agent in these states."""
    return presence is Presence.AVAILABLE and work_state is WorkState.IDLE


# -- who gets a call task ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A free agent: what they bring, and since when they have been idle."""

    agent_id: UUID
    able: Able
    idle_since: datetime


def best_fit(need: Need, candidate: Candidate) -> tuple[object, ...]:
    """Return what agents are ordered by for a call task, the smallest first; experts are not wasted.

    First who meets more of what was asked (they differ only where something was given up): the language, how many
    levels are missing, the team. Then who has the fewest levels more than asked, then who has the fewest levels in
    other skills, then who speaks fewer languages: who can do much stays free for call tasks that ask for it. Then
    who has been idle longest.
    """
    able = candidate.able
    has = able.skills.get(need.skill, 0) if need.skill else 0
    asked = need.level if need.skill else 0
    return (
        need.language not in able.languages,
        max(asked - has, 0),
        need.team is not None and need.team != able.team,
        max(has - asked, 0),
        sum(able.skills.values()) - has,
        len(able.languages),
        candidate.idle_since,
        candidate.agent_id,
    )


def choose_agent(
    need: Need, candidates: Iterable[Candidate], relaxed: Collection[Requirement] = ()
) -> Candidate | None:
    """Return the suitable agent who fits best; None when nobody suits."""
    suitable = [one for one in candidates if suits(one.able, need, relaxed)]
    return min(suitable, key=lambda one: best_fit(need, one), default=None)


def relaxation(need: Need, signed_on: Collection[Able], unstaffed_for: timedelta) -> tuple[Requirement, ...]:
    """Return what is given up of a need that nobody signed on has met for so long, in the stated order.

    One requirement more each `RELAX_EVERY`, and no more than it takes until somebody signed on suits. While nobody
    at all is signed on, nothing is given up: whoever comes first in the morning is no reason to.
    """
    asked = need.requirements
    allowed = min(len(asked), int(unstaffed_for / RELAX_EVERY))
    if not signed_on or is_staffed(need, signed_on):
        return ()
    for count in range(allowed + 1):
        if any(suits(one, need, asked[:count]) for one in signed_on):
            return asked[:count]
    return asked[:allowed]


def is_staffed(need: Need, signed_on: Iterable[Able]) -> bool:
    """Whether anybody signed on meets a need in full, busy or free."""
    return any(suits(one, need) for one in signed_on)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a call task stood when it was offered: its priority (0-100), and for how long it had waited."""

    priority: int
    waited: timedelta
    points_per_minute: float


def why_offered(
    way: OfferWay,
    need: Need,
    relaxed: Collection[Requirement],
    candidate: Candidate,
    standing: Standing,
    now: datetime,
) -> dict[str, Any]:
    """Say why this agent and why this call task, as codes with values; spans in seconds.

    `way`: the best fit by rule; or theirs alone, because they promised the call, a supervisor gave it to them or a
    colleague handed it over; or their own choice.
    """
    able, waited = candidate.able, max(standing.waited, timedelta(0))
    why: dict[str, Any] = {
        "way": way.value,
        "language": need.language,
        "speaks": need.language in able.languages,
        "idle_seconds": max(0, int((now - candidate.idle_since).total_seconds())),
        "priority": standing.priority,
        "waited_seconds": int(waited.total_seconds()),
        "ageing_points": int(waited.total_seconds() / 60 * standing.points_per_minute),
    }
    if need.skill is not None:
        why |= {"skill": need.skill, "level": need.level, "has_level": able.skills.get(need.skill, 0)}
    if need.team is not None:
        why |= {"team": need.team, "in_team": need.team == able.team}
    if relaxed and way is OfferWay.BEST_FIT:
        why["relaxed"] = [one.value for one in need.requirements if one in relaxed]
    return why

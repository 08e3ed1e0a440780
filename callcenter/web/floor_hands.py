"""Raised hands on the floor: at the agent's seat, and first among what needs the supervisor."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from flask_babel import gettext

from callcenter.domain.enums import WorkState
from callcenter.reporting.agenda import HandUp
from callcenter.reporting.floor import AgentNow, WatchNow
from callcenter.web.pages.floor import Need, Seat


def help_needs(
    hands: Sequence[HandUp], agents: Sequence[AgentNow], watches: Sequence[WatchNow], own: WatchNow | None
) -> Iterator[Need]:
    """Yield a need for each raised hand: urgent until a supervisor has seen it or is on the call."""
    by_id = {agent.id: agent for agent in agents}
    for hand in hands:
        agent = by_id.get(hand.agent_id)
        is_on_line = agent is not None and agent.work_state is WorkState.TALKING and agent.line == "up"
        present = [one.supervisor for one in watches if one.agent_id == hand.agent_id and one.mode]
        if present:
            text = gettext("%(name)s is on the call.", name=gettext(", ").join(present))
        elif hand.seen_by:
            text = gettext("%(name)s has seen it. Listen in, or close it.", name=hand.seen_by)
        else:
            text = gettext("On a call with a customer. Listen, or whisper what to say.")
        yield Need(
            id=f"help-{hand.id}",
            kind="help",
            tone="watch" if hand.seen_by or present else "urgent",
            title=gettext("%(name)s asks for help", name=hand.agent),
            text=text,
            since=hand.asked_at,
            help_id=str(hand.id),
            is_seen=hand.seen_by is not None,
            watch_agent_id=str(hand.agent_id) if is_on_line and (own is None or own.has_failed) else None,
        )


def with_hands(seats: Iterable[Seat], hands: Sequence[HandUp]) -> tuple[Seat, ...]:
    """Return the seats, those of raised hands marked."""
    since = {str(hand.agent_id): hand.asked_at for hand in hands}
    return tuple(replace(seat, hand_since=since.get(seat.agent_id)) for seat in seats)

"""How many ringing calls to take back? Agents who sign out leave calls behind that they were placed for. Pure."""

from callcenter.dialing.forecast import expected_abandoned, look_ahead
from callcenter.dialing.policy import PacingPolicy
from callcenter.dialing.rules import PacingFacts, PacingReason, budget_left

_NO_MORE_THAN_ONE_AGENT_EACH = frozenset(
    {PacingReason.PROGRESSIVE, PacingReason.FEW_AGENTS, PacingReason.NO_HISTORY}
)
_NEXT_TO_NONE = 0.1
"""Calls expected to find no agent, where none may be dialed ahead any more."""


def calls_too_many(facts: PacingFacts, reason: PacingReason, policy: PacingPolicy) -> int:
    """Return how many of the calls ringing without an agent should be taken back, the latest first.

    All of them when no agent is signed on. While calls may be placed ahead, as many as are expected to break the
    budget of abandoned calls; where they may no longer, as many as are likely to find nobody.
    """
    ringing = sorted(facts.ringing, reverse=True)
    if not ringing or not facts.agents:
        return len(ringing)
    free = facts.ready - facts.waiting
    if facts.forecast is None:
        return max(0, len(ringing) - max(0, free))
    allowed = _NEXT_TO_NONE
    if reason not in _NO_MORE_THAN_ONE_AGENT_EACH:
        left = budget_left(facts.live_answers_30d, facts.abandoned_30d, policy.ceiling)
        allowed = max(allowed, float(left))
    for kept in range(len(ringing), max(0, free), -1):
        outlook = look_ahead(facts.forecast, free, ringing[:kept], facts.busy)
        if expected_abandoned(outlook, facts.forecast, 0) <= allowed:
            return len(ringing) - kept
    return max(0, len(ringing) - max(0, free))

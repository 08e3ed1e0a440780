"""What an agent's work state follows from; pure."""

from callcenter.domain.enums import AttemptState, Presence, WorkState


def work_state_of(attempt: AttemptState) -> WorkState:
    """Return what the agent does while their attempt is in this state."""
    if attempt is AttemptState.ENDED:
        return WorkState.WRAPPING
    if attempt in (AttemptState.ANSWERED, AttemptState.BRIDGED):
        return WorkState.TALKING
    return WorkState.DIALING


def may_be_offered(presence: Presence, work_state: WorkState) -> bool:
    """Whether a call task may be offered to an agent in these states."""
    return presence is Presence.AVAILABLE and work_state is WorkState.IDLE

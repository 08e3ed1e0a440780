"""Is the agent of a call on the line? What jobs and ticks ask the carrier before they act on a belief."""

from uuid import UUID

from callcenter import talk
from callcenter.domain.enums import AttemptState
from callcenter.models import AgentLeg, ContactAttempt
from callcenter.runtime import Runtime


def agent_is_there(runtime: Runtime, attempt_id: UUID) -> bool:
    """Whether the carrier says that the line of this call's agent is up; what we believed is corrected then.

    A line the carrier has told us the end of is not asked about.
    """
    with runtime.reading() as session:
        attempt = session.get_one(ContactAttempt, attempt_id)
        leg = session.get(AgentLeg, attempt.agent_id) if attempt.agent_id else None
    if leg is None or leg.carrier_ref is None or leg.state == AttemptState.ENDED:
        return False
    seen = runtime.carrier.lookup(leg.carrier_ref)
    if seen is None or seen.state is not AttemptState.ANSWERED:
        return False
    with runtime.unit_of_work() as session:
        talk.note_agent_leg(session, leg.agent_id, leg.carrier_ref, seen.state, runtime.clock())
        talk.agent_was_there(session, attempt_id, runtime.clock())
    return True

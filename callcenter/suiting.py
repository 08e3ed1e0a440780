"""What a call task still asks of the agent it is offered to, and why it goes to this one."""

from datetime import datetime
from typing import Any

from callcenter.calltasks import queries as task_queries
from callcenter.calltasks.policy import AGEING_POINTS_PER_MINUTE
from callcenter.domain.enums import OfferWay, Requirement
from callcenter.domain.needs import EVERYTHING
from callcenter.models import Agent, CallTask
from callcenter.routing.queries import candidate_of
from callcenter.routing.rules import Standing, why_offered


def given_up(task: CallTask, *, is_own: bool, is_chosen: bool) -> frozenset[Requirement]:
    """Return what of a task's need does not count: all of it for whoever has it as their own.

    An agent who chooses has the languages sieved in their list, where they see which nobody else speaks better.
    """
    if is_own:
        return EVERYTHING
    chosen = {Requirement.LANGUAGE} if is_chosen else set()
    return frozenset({*task_queries.relaxed_of(task), *chosen})


def why_this(
    task: CallTask, agent: Agent, now: datetime, *, is_own: bool = False, is_chosen: bool = False
) -> dict[str, Any]:
    """Say why this agent is offered this pending task, as codes with values."""
    way = OfferWay.CHOSEN if is_chosen else OfferWay.BEST_FIT
    if task.held_for is not None:
        way = OfferWay.HANDED_OVER
    elif is_own:
        way = OfferWay.GIVEN if task.owner_until else OfferWay.PROMISED
    waited = now - max(task.created_at, task.not_before_at)
    return why_offered(
        way,
        task_queries.need_of(task, task.language),
        task_queries.relaxed_of(task),
        candidate_of(agent),
        Standing(task.priority, waited, AGEING_POINTS_PER_MINUTE),
        now,
    )

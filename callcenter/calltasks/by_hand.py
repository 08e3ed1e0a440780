"""What another system may say of a call task that waits."""

from datetime import datetime, timedelta

from callcenter.domain.enums import TaskState
from callcenter.errors import Conflict
from callcenter.models import CallTask

KEPT_FOR = timedelta(hours=24)
"""A promised call that could not be made in time is tried for so long."""


def promise(task: CallTask, at: datetime) -> None:
    """Let a locked, waiting task be called at a promised time. Raises Conflict when it does not wait."""
    if task.state != TaskState.PENDING:
        raise Conflict("This call task is with an agent or has ended. Look at it again.")
    task.agent_id, task.not_before_at = None, at
    task.expires_at = max(task.expires_at, at + KEPT_FOR)
    task.why_no_call, task.facts = ["callback"], {**task.facts, "callback": True}

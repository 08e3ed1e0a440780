"""The job that plays a back-test somebody asked for in the studio."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog

from callcenter import outbox
from callcenter.backtest import asked
from callcenter.config import archive_folder
from callcenter.errors import CallCenterError
from callcenter.runtime import get_runtime
from workers.jobs import noted

log = structlog.get_logger()


@noted
def back_test(message_id: int, subject_id: str) -> None:
    """Play it over the stored events and keep its figures. Safe to run twice: the first to end counts."""
    runtime, run_id = get_runtime(), UUID(subject_id)
    figures: Mapping[str, Any] | None = {}
    error = None
    try:
        with runtime.reading() as session:
            archive = archive_folder(runtime.settings)
            figures = asked.work_off(session, run_id, runtime.house.gate, archive, runtime.clock())
    except CallCenterError as refused:  # the definition no longer fits its journey: that is the answer
        error = refused.message
    with runtime.unit_of_work() as session:
        if figures is not None:
            asked.note_figures(session, run_id, figures, error, runtime.clock())
        outbox.mark_done(session, message_id, runtime.clock())
    log.info("back_test.played", run=subject_id)

"""The script of a call task with its placeholders filled, and the path taken through it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.models import CallTask, ScriptStep
from scripts_library.catalog import Catalog
from scripts_library.rendering import RenderedScript, render


def script_of_task(
    catalog: Catalog, task: CallTask, language: str, facts: Mapping[str, object]
) -> RenderedScript | None:
    """Return the task's script and variant, filled; None when the task has none.

    A variant that the library no longer has is shown as its first.

    Raises scripts_library's MissingPlaceholder, naming the fact, when one is missing.
    """
    if task.script_id is None:
        return None
    script = catalog.get(task.script_id, language)
    drawn = task.script_variant or ""
    return render(script, drawn if drawn in script.variants else script.variants[0], facts)


def path_of_task(session: Session, call_task_id: UUID) -> Sequence[ScriptStep]:
    """List the steps taken through a task's script, oldest first."""
    return session.exec(
        select(ScriptStep).where(ScriptStep.call_task_id == call_task_id).order_by(col(ScriptStep.id))
    ).all()

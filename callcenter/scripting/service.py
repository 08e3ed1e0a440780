"""Choose a script for a firing and keep the path agents take through it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter.models import ScriptStep
from scripts_library.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Choice:
    """The script for a call task: which, which variant, with what probability it was drawn, and why it fits."""

    script_id: str
    script_version: str
    script_variant: str
    script_propensity: float
    script_why: str

    def columns(self) -> Mapping[str, object]:
        """Return the choice as a call task keeps it."""
        return {name: getattr(self, name) for name in self.__slots__}


def choose(
    catalog: Catalog,
    *,
    journey: str,
    step: str,
    error: str | None,
    moment: str | None,
    language: str,
    tags: tuple[str, ...],
    variant: str,
    propensity: float,
) -> Choice:
    """Return the most specific script for what happened, in the customer's language."""
    found = catalog.find(journey, step, error, moment, language, tags)
    why = f"{found.why.code}:{found.why.value}"
    return Choice(found.script.id, found.script.version_label, variant, propensity, why)


def note_step(
    session: Session,
    call_task_id: UUID,
    agent_id: UUID,
    now: datetime,
    *,
    node: str | None,
    branch: str | None,
    objection: str | None,
) -> None:
    """Keep one step an agent took through the script."""
    session.add(
        ScriptStep(
            call_task_id=call_task_id,
            agent_id=agent_id,
            at=now,
            node=node,
            branch=branch,
            objection=objection,
        )
    )

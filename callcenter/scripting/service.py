"""Choose a script for a firing and keep the path agents take through it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from callcenter.models import ScriptStep
from scripts_library.catalog import Catalog, ScriptChoice


@dataclass(frozen=True, slots=True)
class Choice:
    """The script for a call task: which, which variant, with what probability it was drawn, and why it fits.

    `script_allocated_on` is the day whose shares the draw was made by, None for even ones.
    """

    script_id: str
    script_version: str
    script_variant: str
    script_propensity: float
    script_why: str
    script_allocated_on: date | None = None

    def columns(self) -> Mapping[str, object]:
        """Return the choice as a call task keeps it."""
        return {name: getattr(self, name) for name in self.__slots__}


def fit(
    catalog: Catalog,
    *,
    journey: str,
    step: str,
    error: str | None,
    moment: str | None,
    language: str,
    tags: tuple[str, ...],
) -> ScriptChoice:
    """Return the most specific script for what happened, in the customer's language, and why it is that one."""
    return catalog.find(journey, step, error, moment, language, tags)


def choice_of(found: ScriptChoice, variant: str, propensity: float, allocated_on: date | None) -> Choice:
    """Return the script that fits, with the variant drawn of it, as a call task keeps them."""
    why = f"{found.why.code}:{found.why.value}"
    return Choice(found.script.id, found.script.version_label, variant, propensity, why, allocated_on)


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

"""What rules ask of agents has to be there: the skill and the team they name. And who needs a skill by now."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlmodel import Session, col, select

from callcenter.domain.enums import RuleState
from callcenter.errors import BadInput
from callcenter.models import Skill, Team, TriggerRule

IN_FORCE = (RuleState.LIVE, RuleState.PAUSED, RuleState.CANARY)
"""States of versions that call tasks are opened under, or will be without another word."""


def needs_missing(session: Session, raw: Mapping[str, Any]) -> dict[str, BadInput]:
    """Return what a definition asks of agents that is not there, or switched off, by the entry's name.

    What is no name of a skill or team at all is left to the reader of rules.
    """
    found: dict[str, BadInput] = {}
    skill, team = raw.get("skill"), raw.get("team")
    if isinstance(skill, str):
        row = session.get(Skill, skill)
        if row is None:
            found["skill"] = BadInput(
                "There is no skill %(skill)s. Add it under Teams and skills, or choose another one.",
                values={"skill": skill},
            )
        elif not row.is_active:
            found["skill"] = BadInput(
                "The skill %(skill)s is switched off. Give it again under Teams and skills, or choose another one.",
                values={"skill": skill},
            )
    if isinstance(team, str) and session.get(Team, " ".join(team.split())) is None:
        found["team"] = BadInput(
            "There is no team %(team)s. Add it under Teams and skills, or choose another one.",
            values={"team": team},
        )
    return found


def require_needs(session: Session, raw: Mapping[str, Any]) -> None:
    """Raise BadInput for the first skill or team a definition asks for in vain."""
    for error in needs_missing(session, raw).values():
        raise error


def rules_asking_for(session: Session, skill: str) -> Collection[str]:
    """Name the rules in force, or on trial, that ask for a skill, in order."""
    asking = (
        select(TriggerRule.rule_key)
        .where(col(TriggerRule.state).in_(IN_FORCE))
        .where(col(TriggerRule.definition)["skill"].as_string() == skill)
    )
    return sorted(set(session.exec(asking)))

"""Keep who the agents are: their team, telephone, languages and skills; and the teams and skills there are."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlmodel import Session

from callcenter.domain.needs import LEVELS
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import Agent, Skill, Team

SPOKEN = ("en", "zh")
"""The languages the product, its scripts and its customers speak."""
MAX_NAME = 60
_KEY = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")


def set_abilities(
    session: Session, agent: Agent, languages: Collection[str], levels: Mapping[str, int]
) -> None:
    """Set what a locked agent speaks, and their level (1-5) in each skill. Raises BadInput."""
    spoken = [one for one in SPOKEN if one in languages]
    if not spoken or set(languages) - set(SPOKEN):
        raise BadInput("Choose at least one language the agent speaks.")
    for key, level in levels.items():
        if session.get(Skill, key) is None:
            raise BadInput("There is no such skill. Add it first.")
        if level not in LEVELS:
            raise BadInput("A level is a whole number from 1 to 5.")
    agent.languages = ",".join(spoken)
    agent.skills = dict(sorted(levels.items()))
    agent.skill_points = sum(levels.values())


def set_address(agent: Agent, telephone: str | None) -> None:
    """Let a locked agent talk on a telephone of their own, or without one on the browser softphone."""
    agent.address = telephone or f"client:agent_{agent.id.hex}"


def add_team(session: Session, name: str, now: datetime, *, transfers_need_approval: bool = False) -> Team:
    """Add a team. Raises BadInput for a name that is none, Conflict when there is one."""
    clean = " ".join(name.split())
    if not clean or len(clean) > MAX_NAME or not clean.isprintable():
        raise BadInput("Give the team a name of at most 60 characters.")
    if session.get(Team, clean) is not None:
        raise Conflict("There is a team of this name.")
    row = Team(name=clean, transfers_need_approval=transfers_need_approval, created_at=now)
    session.add(row)
    session.flush()
    return row


def set_team(session: Session, name: str, *, transfers_need_approval: bool) -> Team:
    """Set whether a supervisor approves what a team's agents hand over. Raises NotFound."""
    row = session.get(Team, name, with_for_update=True)
    if row is None:
        raise NotFound("There is no such team.")
    row.transfers_need_approval = transfers_need_approval
    return row


def put_skill(session: Session, key: str, name: str, name_zh: str, now: datetime) -> Skill:
    """Add a skill, or name the one with this key anew and give it again. Raises BadInput."""
    names = [" ".join(one.split()) for one in (name, name_zh)]
    if not _KEY.match(key):
        raise BadInput("The skill's key is made of lower-case letters, digits, - and _.")
    if not all(one and len(one) <= MAX_NAME and one.isprintable() for one in names):
        raise BadInput("Name the skill in English and Chinese, in at most 60 characters each.")
    row = session.get(Skill, key, with_for_update=True) or Skill(key=key, name="", name_zh="", created_at=now)
    row.name, row.name_zh, row.is_active = names[0], names[1], True
    session.add(row)
    session.flush()
    return row


def switch_skill(session: Session, key: str, *, is_active: bool) -> Skill:
    """Give a skill to agents, or to nobody any more; who has it keeps it. Raises NotFound."""
    row = session.get(Skill, key, with_for_update=True)
    if row is None:
        raise NotFound("There is no such skill.")
    row.is_active = is_active
    return row

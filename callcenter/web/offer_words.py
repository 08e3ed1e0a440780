"""Why this agent, why this call task, and why nobody: the routing rule's codes in the viewer's words."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.enums import OfferWay, Requirement
from callcenter.models import Agent, Skill
from callcenter.routing.queries import skills
from callcenter.web.edge import language
from callcenter.web.formats import label, span

Names = Mapping[str, str]


def skill_names(session: Session) -> Names:
    """Return the skills' names in the viewer's language, by their keys."""
    return {one.key: skill_name(one) for one in skills(session)}


def skill_name(one: Skill) -> str:
    """A skill's name in the viewer's language."""
    return one.name_zh if language() == "zh" else one.name


def skill_words(names: Names, skill: str, level: int) -> str:
    """A skill with a level: "Loans 3"."""
    return f"{names.get(skill, skill)} {level}"


def skills_of(session: Session, agent: Agent) -> tuple[str, ...]:
    """What an agent brings, in words: the languages, then the skills, the best first."""
    names = skill_names(session) if agent.skills else {}
    held = sorted(agent.skills.items(), key=lambda one: (-one[1], one[0]))
    spoken = (label(code) for code in agent.languages.split(","))
    return (*spoken, *(skill_words(names, key, level) for key, level in held))


def why_agent(why: Mapping[str, Any], names: Names) -> str:
    """Why it went to this agent, in one sentence; empty where nothing was kept."""
    if not why.get("way"):
        return ""
    if why["way"] != OfferWay.BEST_FIT:
        ways = {
            OfferWay.PROMISED: gettext("Promised by this agent in person."),
            OfferWay.GIVEN: gettext("Given to this agent by name."),
            OfferWay.HANDED_OVER: gettext("Handed over by a colleague."),
            OfferWay.CHOSEN: gettext("The agent's own choice."),
        }
        return ways[OfferWay(why["way"])]
    meets = [label(why["language"])] if why.get("speaks") else []
    if why.get("skill") and why.get("has_level"):
        has = skill_words(names, why["skill"], why["has_level"])
        meets.append(gettext("%(has)s (%(asked)s asked)", has=has, asked=why["level"]))
    if why.get("in_team"):
        meets.append(why["team"])
    idle = span(why.get("idle_seconds", 0))
    if not meets:
        return gettext("Best fit of the free agents; idle for %(span)s.", span=idle)
    what = gettext(", ").join(meets)
    return gettext("Best fit of the free agents: %(what)s; idle for %(span)s.", what=what, span=idle)


def why_task(why: Mapping[str, Any]) -> str:
    """Why this call task came first, in one sentence."""
    if not why.get("way"):
        return ""
    if not why.get("ageing_points"):
        return gettext("Priority %(n)s.", n=why.get("priority", 0))
    return gettext(
        "Priority %(n)s, and %(points)s more for waiting %(span)s.",
        n=why.get("priority", 0),
        points=why["ageing_points"],
        span=span(why["waited_seconds"]),
    )


def why_relaxed(why: Mapping[str, Any], names: Names) -> str | None:
    """What was asked and given up, because nobody who was signed on had it; None where nothing was."""
    if not why.get("relaxed"):
        return None
    what = asked_words(
        names,
        why["relaxed"],
        language_code=why["language"],
        skill=why.get("skill"),
        level=why.get("level", 1),
        team=why.get("team"),
    )
    return gettext("Not asked any more, as nobody signed on has it: %(what)s.", what=what)


def asked_words(
    names: Names,
    parts: Sequence[str],
    *,
    language_code: str,
    skill: str | None,
    level: int,
    team: str | None,
) -> str:
    """Name these parts of a need: "Loans 3, Loan desk B"."""
    said = []
    if skill and (Requirement.LEVEL in parts or Requirement.SKILL in parts):
        said.append(skill_words(names, skill, level))
    if team and Requirement.TEAM in parts:
        said.append(team)
    if Requirement.LANGUAGE in parts:
        said.append(label(language_code))
    return gettext(", ").join(said)


def nobody_words(names: Names, *, language_code: str, skill: str | None, level: int, team: str | None) -> str:
    """Why no call where nobody signed on suits: "no agent with Loans 3 signed on"."""
    parts = [Requirement.SKILL.value] if skill else []
    parts += [Requirement.TEAM.value] if team else []
    what = asked_words(
        names,
        parts or [Requirement.LANGUAGE.value],
        language_code=language_code,
        skill=skill,
        level=level,
        team=team,
    )
    return gettext("No agent with %(what)s signed on", what=what)

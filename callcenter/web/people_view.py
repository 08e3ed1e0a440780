"""The pages about people from the rows: who works here, one person's form, teams and skills."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session, col, select
from werkzeug.datastructures import MultiDict

from callcenter.accounts.queries import MIN_PASSWORD
from callcenter.domain.enums import Role
from callcenter.domain.needs import LEVELS
from callcenter.errors import BadInput, NotFound
from callcenter.intake.profiles import read_number
from callcenter.models import Agent, TriggerRule, User
from callcenter.people import Person
from callcenter.routing.queries import skills, teams
from callcenter.web.edge import frame, viewer
from callcenter.web.offer_words import skill_name, skill_names, skill_words
from callcenter.web.pages import people as page
from callcenter.web.pages.studio import Choice

HOME = "/admin/people"


def tabs(here: str) -> tuple[Choice, ...]:
    """Return the two parts of the administration of people."""
    return (
        Choice(gettext("People"), HOME, here == "people"),
        Choice(gettext("Teams and skills"), "/admin/teams", here == "teams"),
    )


def people_page(session: Session) -> page.PeoplePage:
    """Return everybody, by name."""
    agents = {one.id: one for one in session.exec(select(Agent))}
    names = skill_names(session)
    users = session.exec(select(User).order_by(col(User.is_active).desc(), col(User.name), col(User.login)))
    return page.PeoplePage(
        frame("people"), tabs("people"), tuple(_row(one, agents.get(one.id), names) for one in users)
    )


def _row(user: User, agent: Agent | None, names: Mapping[str, str]) -> page.PersonRow:
    known = page.PersonRow(f"{HOME}/{user.id}", user.name, user.login, user.role, user.is_active)
    if agent is None or user.role != Role.AGENT:
        return known
    held = sorted(agent.skills.items(), key=lambda one: (-one[1], one[0]))
    return page.PersonRow(
        known.href,
        known.name,
        known.login,
        known.role,
        known.is_active,
        agent.team,
        tuple(agent.languages.split(",")),
        tuple(skill_words(names, key, level) for key, level in held),
    )


def new_person_page(session: Session, error: str | None = None) -> page.PersonPage:
    """Return the form of somebody new."""
    return page.PersonPage(
        frame("people"),
        roles=tuple(Role),
        teams=tuple(one.name for one in teams(session)),
        skills=_skill_fields(session, {}),
        min_password=MIN_PASSWORD,
        error=error,
    )


def person_page(session: Session, person_id: UUID, error: str | None = None) -> page.PersonPage:
    """Return the form of a person as they are. Raises NotFound."""
    user = session.get(User, person_id)
    if user is None:
        raise NotFound("There is no such person.")
    agent = session.get(Agent, person_id) if user.role == Role.AGENT else None
    own_number = agent.address if agent and not agent.address.startswith("client:") else user.telephone
    return page.PersonPage(
        frame("people"),
        href=f"{HOME}/{user.id}",
        login=user.login,
        name=user.name,
        role=user.role,
        roles=(Role.AGENT.value,) if agent else tuple(one for one in Role if one is not Role.AGENT),
        team=agent.team if agent else "",
        teams=tuple(one.name for one in teams(session)),
        languages=tuple(agent.languages.split(",")) if agent else ("en", "zh"),
        skills=_skill_fields(session, agent.skills if agent else {}),
        telephone=own_number or "",
        time_zone=user.time_zone,
        is_active=user.is_active,
        is_self=user.id == viewer().id,
        min_password=MIN_PASSWORD,
        error=error,
    )


def as_typed(shown: page.PersonPage, form: "MultiDict[str, str]") -> page.PersonPage:
    """Return a form with what was typed in it; a password is typed again."""
    return replace(
        shown,
        login=shown.login if shown.href else form.get("login", ""),
        name=form.get("name", ""),
        role=form.get("role", shown.role),
        team=form.get("team", ""),
        languages=tuple(form.getlist("languages")),
        skills=tuple(replace(one, level=_level(form.get(f"skill-{one.key}"))) for one in shown.skills),
        telephone=form.get("telephone", ""),
        time_zone=form.get("time_zone", ""),
    )


def _level(text: str | None) -> int:
    return int(text) if text and text in {str(one) for one in LEVELS} else 0


def read_person(form: "MultiDict[str, str]") -> Person:
    """Read the form of a person. Raises BadInput that says what to give."""
    try:
        role = Role(form.get("role", ""))
    except ValueError:
        raise BadInput("Choose what this person does.") from None
    raw = form.get("telephone", "").strip()
    telephone = read_number(raw) if raw else None
    if raw and telephone is None:
        raise BadInput("The telephone is not a valid number in international form (+86...).")
    levels = {
        name.removeprefix("skill-"): _level(value)
        for name, value in form.items()
        if name.startswith("skill-") and _level(value)
    }
    return Person(
        name=form.get("name", "").replace("\x00", ""),
        role=role,
        team=form.get("team", "").replace("\x00", ""),
        languages=tuple(form.getlist("languages")),
        levels=levels,
        telephone=telephone,
        time_zone=form.get("time_zone", "") or "UTC",
        password=form.get("password", ""),
    )


def _skill_fields(session: Session, held: Mapping[str, int]) -> tuple[page.SkillField, ...]:
    return tuple(
        page.SkillField(one.key, skill_name(one), held.get(one.key, 0), one.is_active)
        for one in skills(session)
        if one.is_active or one.key in held
    )


def teams_page(
    session: Session,
    error: str | None = None,
    typed: Mapping[str, str] | None = None,
    to_confirm: str = "",
) -> page.TeamsPage:
    """Return teams and skills with how many agents each has; `to_confirm` is a skill not switched off yet."""
    active = select(Agent).join(User, col(User.id) == col(Agent.id)).where(col(User.is_active))
    agents = session.exec(active).all()
    members = Counter(one.team for one in agents)
    levels = Counter((key, level) for one in agents for key, level in one.skills.items())
    in_force = session.exec(
        select(TriggerRule.definition).where(col(TriggerRule.state).in_(["live", "paused"]))
    )
    asked = Counter(one.get("skill") for one in in_force)
    return page.TeamsPage(
        frame("people"),
        tabs("teams"),
        teams=tuple(
            page.TeamRow(one.name, members[one.name], one.transfers_need_approval) for one in teams(session)
        ),
        skills=tuple(
            page.SkillRow(
                one.key,
                one.name,
                one.name_zh,
                one.is_active,
                tuple(levels[one.key, level] for level in LEVELS),
                asked[one.key],
            )
            for one in skills(session)
        ),
        error=error,
        typed=dict(typed or {}),
        to_confirm=to_confirm,
    )

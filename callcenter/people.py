"""Who works here: people with their roles, agents' teams, languages and skills, and what is set for teams.

Verbs as in the pipeline, and beside it: each takes a session, values and `now`, commits nothing, and is written to
the audit trail.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from callcenter import outbox, pipeline
from callcenter.accounts import service as accounts
from callcenter.domain.enums import Presence, Role, WorkState
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import Agent, Callback, Skill, Team, User
from callcenter.outcomes import promises
from callcenter.routing import people as routing_people
from callcenter.routing import service as routing
from callcenter.rule_needs import rules_asking_for


@dataclass(frozen=True, slots=True)
class Person:
    """What is set of a person. `team`, `languages` and `levels` (1-5 by skill) are an agent's.

    `telephone` is in E.164 form; without one they talk in the browser. An empty `password` keeps theirs.
    """

    name: str
    role: Role
    team: str = ""
    languages: tuple[str, ...] = ("en", "zh")
    levels: Mapping[str, int] = field(default_factory=dict)
    telephone: str | None = None
    time_zone: str = "UTC"
    password: str = ""


def add_person(session: Session, login: str, person: Person, user_id: UUID | None, now: datetime) -> User:
    """Add somebody who may sign in. Raises BadInput, and Conflict when the login is taken."""
    if accounts.user_of(session, login) is not None:
        raise Conflict("Somebody has this login already. Choose another one.")
    user = accounts.add_user(
        session,
        login,
        _checked_name(person.name),
        person.role,
        person.password,
        now,
        accounts.checked_zone(person.time_zone),
        person.telephone,
    )
    _set_agent(session, user, person, now)
    _record(session, "person.added", user, user_id, now, role=str(person.role), **_told(person))
    return user


def change_person(
    session: Session, person_id: UUID, person: Person, user_id: UUID | None, now: datetime
) -> User:
    """Change what is set of a person. Raises BadInput, Conflict, NotFound.

    An agent stays one: their calls and callbacks are theirs. The last administrator stays one too.
    """
    user = _lock(session, person_id)
    if (user.role == Role.AGENT) != (person.role == Role.AGENT):
        raise Conflict(
            "An agent stays an agent. Deactivate this person, and add them anew with the other role."
        )
    if user.role == Role.ADMIN and person.role != Role.ADMIN:
        _keep_an_administrator(session, user)
    before = {"role": str(user.role), "name": user.name}
    accounts.change_user(
        user,
        name=_checked_name(person.name),
        role=person.role,
        password=person.password,
        telephone=person.telephone,
        time_zone=accounts.checked_zone(person.time_zone),
    )
    _set_agent(session, user, person, now)
    told = {"role": str(person.role), "was": before["role"], "password": bool(person.password)}
    _record(session, "person.changed", user, user_id, now, **told, **_told(person))
    return user


def switch_person(
    session: Session, person_id: UUID, user_id: UUID | None, now: datetime, *, active: bool
) -> None:
    """Let a person sign in again, or not any more: they are signed off, and their callbacks are anyone's.

    Raises Conflict while they have a call task before them, for oneself and for the last administrator.
    """
    user = _lock(session, person_id)
    if user.is_active == active:
        return
    if not active:
        if person_id == user_id:
            raise Conflict("You cannot deactivate yourself. Another administrator can.")
        if user.role == Role.ADMIN:
            _keep_an_administrator(session, user)
        _sign_off(session, person_id, now)
    user.is_active = active
    _record(session, "person.activated" if active else "person.deactivated", user, user_id, now)


def _sign_off(session: Session, person_id: UUID, now: datetime) -> None:
    if session.get(Agent, person_id) is None:
        return
    agent = routing.lock_agent(session, person_id)
    if agent.work_state != WorkState.IDLE:
        raise Conflict("This agent has a call task before them. Wait until it is saved, or free them first.")
    pipeline.set_presence(session, person_id, Presence.SIGNED_OFF, None, now)
    kept = select(Callback).where(Callback.agent_id == person_id).where(col(Callback.closed_at).is_(None))
    for one in session.exec(kept.order_by(col(Callback.id))).all():
        promises.give_to(promises.lock_callback(session, one.id), None)


def _keep_an_administrator(session: Session, user: User) -> None:
    others = session.exec(
        select(func.count())
        .select_from(User)
        .where(User.role == Role.ADMIN)
        .where(col(User.is_active))
        .where(User.id != user.id)
    ).one()
    if not others:
        raise Conflict("This is the last administrator. Add another one first.")


def _set_agent(session: Session, user: User, person: Person, now: datetime) -> None:
    if person.role != Role.AGENT:
        return
    if session.get(Team, person.team) is None:
        raise BadInput("Choose the agent's team. Add it first if it is new.")
    routing.add_agent(session, user.id, person.team, now, person.telephone)
    agent = routing.lock_agent(session, user.id)
    routing_people.set_address(agent, person.telephone)
    routing_people.set_abilities(session, agent, person.languages, person.levels)
    outbox.ring(session, outbox.agent_channel(user.id), outbox.FLOOR)


def _told(person: Person) -> dict[str, object]:
    if person.role != Role.AGENT:
        return {}
    return {"team": person.team, "languages": list(person.languages), "skills": dict(person.levels)}


def _checked_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > routing_people.MAX_NAME or not clean.isprintable():
        raise BadInput("Give a name of at most 60 characters, as colleagues and customers say it.")
    return clean


def _lock(session: Session, person_id: UUID) -> User:
    user = session.get(User, person_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound("There is no such person.")
    return user


# -- teams and skills -------------------------------------------------------------------------------------


def add_team(session: Session, name: str, user_id: UUID | None, now: datetime) -> Team:
    """Add a team. Raises BadInput, Conflict."""
    row = routing_people.add_team(session, name, now)
    accounts.record(session, user_id, "team.added", row.name, now)
    return row


def set_team(
    session: Session, name: str, user_id: UUID | None, now: datetime, *, transfers_need_approval: bool
) -> None:
    """Set whether a supervisor approves what a team's agents hand over. Raises NotFound."""
    row = routing_people.set_team(session, name, transfers_need_approval=transfers_need_approval)
    accounts.record(
        session, user_id, "team.changed", row.name, now, transfers_need_approval=transfers_need_approval
    )


def put_skill(
    session: Session, key: str, names: tuple[str, str], user_id: UUID | None, now: datetime
) -> Skill:
    """Add a skill or name it anew; `names` are English and Chinese. Raises BadInput."""
    row = routing_people.put_skill(session, key.strip().lower(), *names, now)
    accounts.record(session, user_id, "skill.put", row.key, now, name=row.name)
    return row


def switch_skill(
    session: Session,
    key: str,
    user_id: UUID | None,
    now: datetime,
    *,
    is_active: bool,
    is_confirmed: bool = False,
) -> None:
    """Let a skill be given to agents, or not any more; who has it keeps it. Raises NotFound.

    One that rules in force ask for is switched off only by who was told which: until it `is_confirmed`, a Conflict
    names them.
    """
    asking = () if is_active or is_confirmed else rules_asking_for(session, key)
    if asking:
        raise Conflict(
            "Rules in force ask for this skill: %(rules)s. Whoever has it goes on getting their calls, nobody else"
            " can be given it, and these rules cannot be published anew. Change the rules first, or confirm.",
            {"rules": ", ".join(asking)},
        )
    row = routing_people.switch_skill(session, key, is_active=is_active)
    accounts.record(session, user_id, "skill.switched", row.key, now, is_active=is_active)


def _record(
    session: Session, act: str, user: User, user_id: UUID | None, now: datetime, **told: object
) -> None:
    accounts.record(session, user_id, act, user.login, now, **told)

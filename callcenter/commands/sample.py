"""`callcenter sample`: load the sample set-up, so that a fresh machine has something to do."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import yaml
from sqlmodel import Session

from callcenter import acts, offering, reviewing
from callcenter.accounts import service as accounts
from callcenter.commands.here import runtime_here
from callcenter.config import Settings
from callcenter.domain.enums import Role
from callcenter.domain.offers import OfferTerms
from callcenter.intake import service as intake
from callcenter.journeys import queries as journey_queries
from callcenter.journeys import service as journeys
from callcenter.models import Offer, Skill
from callcenter.outcomes import service as outcomes
from callcenter.outcomes.queries import disposition_kinds
from callcenter.quality.policy import STARTING_CARD
from callcenter.quality.queries import scorecards_in_use
from callcenter.routing import people as routing_people
from callcenter.routing import queries as routing_queries
from callcenter.routing import service as routing
from callcenter.runtime import Runtime
from callcenter.sample.people import (
    DEMO_ABILITIES,
    DEMO_AGENT_TEAM,
    DEMO_AGENTS,
    DEMO_PASSWORD,
    DEMO_SKILLS,
    DEMO_TEAM,
    DEMO_TEAMS_WITH_APPROVAL,
    DEMO_USERS,
    DEMO_WRITE_KEY,
)
from callcenter.triggers.queries import newest_version

SAMPLE = Path(__file__).parents[1] / "sample"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The quick one where PyYAML was built with it: eight times as fast."""
DEMO_IS_OLD = timedelta(days=15)
"""So long the demo's rules have been live: a day longer than its past (`past.py`)."""
JOURNEYS = (("loan.yaml", "rules.yaml"), ("account.yaml", "account_rules.yaml"))


def read_sample(name: str) -> Any:
    """Return the content of one file of the sample set-up."""
    return yaml.load((SAMPLE / name).read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe one


def load_set_up(runtime: Runtime, *, again: bool = False, since: datetime | None = None) -> None:
    """Load the journeys of loan and account, their rules with the skills these ask for, dispositions, offers and a
    scorecard where there are none yet.

    What people have changed stays as it is; `again` puts the sample's version over it. What is new has been so
    since `since`, else from now on.
    """
    with runtime.unit_of_work() as session:
        now = since or runtime.clock()
        if again or not disposition_kinds(session):
            outcomes.load_dispositions(session, read_sample("dispositions.yaml"))
        for key, name, name_zh in DEMO_SKILLS:
            if session.get(Skill, key) is None:
                routing_people.put_skill(session, key, name, name_zh, now)
        for course, rules in JOURNEYS:
            _load_journey(session, course, rules, now, again=again)
        if not scorecards_in_use(session):
            reviewing.adopt_scorecard(session, STARTING_CARD, None, now)
        for raw in read_sample("offers.yaml"):
            if session.get(Offer, raw["code"]) is None:
                offering.add_offer(session, raw["code"], _terms(raw, now), None, now)


def _load_journey(session: Session, course: str, rules: str, now: datetime, *, again: bool) -> None:
    loaded = dict(journey_queries.journeys_loaded(session))
    raw = read_sample(course)
    journey = loaded.get(raw["journey"])
    if again or journey is None:
        journey = journeys.load_journey(session, raw, loaded.values(), now)
    for rule in read_sample(rules):
        if again or newest_version(session, rule["rule"]) is None:
            acts.adopt_rule(session, rule, journey, None, now)


def _terms(raw: dict[str, Any], now: datetime) -> OfferTerms:
    """An offer of the sample, good from now on."""
    said: dict[str, Any] = {n: tuple(one) if isinstance(one, list) else one for n, one in raw.items()}
    said |= {"value": Decimal(raw["value"]), "cost": Decimal(raw["cost"]), "valid_from": now}
    del said["code"]
    return OfferTerms(**said, time_zone="Asia/Shanghai")


def load_sample(settings: Settings) -> list[tuple[str, str, str]]:
    """In the demo, load the sample set-up, its source and users; return (role, login, password) rows.

    Elsewhere nothing is loaded: a bank loads its own journeys, rules and dispositions.
    """
    if settings.environment != "demo":
        return []
    runtime = Runtime(settings)
    load_set_up(runtime, since=runtime.clock() - DEMO_IS_OLD if settings.demo else None)
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        intake.add_source(session, "demo-app", DEMO_WRITE_KEY, 1.0, now)
        for login, name, role in DEMO_USERS:
            user = accounts.add_user(session, login, name, role, DEMO_PASSWORD, now)
            if role is Role.AGENT:
                routing.add_agent(session, user.id, DEMO_TEAM, now)
        for login, name in DEMO_AGENTS:
            user = accounts.add_user(session, login, name, Role.AGENT, DEMO_PASSWORD, now)
            routing.add_agent(session, user.id, DEMO_AGENT_TEAM, now)
        _load_abilities(session)
    runtime.engine.dispose()
    return [(role.value, login, DEMO_PASSWORD) for login, _, role in DEMO_USERS]


def _load_abilities(session: Session) -> None:
    """Give the demo's agents their skills where nobody has set any, and its teams their settings."""
    if routing_queries.is_anybody_skilled(session):
        return
    for login, (languages, levels) in DEMO_ABILITIES.items():
        user = accounts.user_of(session, login)
        if user is not None:
            agent = routing.lock_agent(session, user.id)
            routing_people.set_abilities(session, agent, languages, levels)
    for team in DEMO_TEAMS_WITH_APPROVAL:
        routing_people.set_team(session, team, transfers_need_approval=True)


@click.command("sample")
def sample() -> None:
    """Load the sample journeys, rules and dispositions, over what was changed in them; offers that are missing."""
    with runtime_here() as runtime:
        load_set_up(runtime, again=True)
    click.echo("The sample set-up is loaded.")

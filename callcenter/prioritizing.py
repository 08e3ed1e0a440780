"""Whom first: what calls are worth by rule, and a model of who converts. Steps of the nightly learning."""

from datetime import datetime

from sqlmodel import Session

from callcenter.journeys.queries import journeys_loaded
from callcenter.learning import ranking
from callcenter.learning.propensity_training import train
from callcenter.learning.queries import counts_per_rule
from callcenter.learning.rules import has_fair_split
from callcenter.learning.worth import RuleCounts, worth_of_rules
from callcenter.triggers.queries import current_rules

NOT_RANKED = {
    "too_few": "{n} firings, {converted} of them converted: too few to learn from. The simple order holds.",
    "not_better": "{n} firings: no better than each rule's own rate on later ones. The simple order holds.",
}
RANKS = "{n} firings: better than each rule's own rate on later ones. It ranks."


def train_propensity(session: Session, now: datetime) -> str:
    """Train the model of who converts on what is known by `now`, and say whether it may rank."""
    trained = train(ranking.mature_firings(session, now))
    ranking.keep_model(session, trained, now)
    said = NOT_RANKED[trained.why_not] if trained.why_not else RANKS
    return said.format(n=trained.n, converted=trained.converted)


def learn_worth(session: Session, now: datetime) -> str:
    """Learn what a call on each rule's firings brings, as of `now`; say how many rules are ranked by it."""
    rules = current_rules(session, journeys_loaded(session))
    minutes = ranking.agent_minutes(session, now)
    counted = []
    for key, found in counts_per_rule(session).items():
        current = rules.current(key)
        if current is None:
            continue
        arms = found.arms
        spent, tasks = minutes.get(key, (0.0, 0))
        counted.append(
            RuleCounts(
                key,
                arms.assigned,
                arms.held_out,
                arms.converted_assigned,
                arms.converted_held_out,
                spent,
                tasks,
                has_fair_split(arms, found.share_drawn(current.spec.holdout)),
                dialed=arms.called or None,  # no dial on record: the difference by assignment stands
            )
        )
    specs = {one.key: rules.versions[one.key][-1].spec for one in counted}
    worth = worth_of_rules(counted, {key: spec.value for key, spec in specs.items()})
    fades = {key: spec.fades for key, spec in specs.items()}
    ranking.keep_worth(session, worth, fades, {key: spec.priority for key, spec in specs.items()}, now)
    if not worth:
        return "No rule has called some and held others out yet. Set priorities hold."
    return f"{len(worth)} rules are ranked by what a call brings."

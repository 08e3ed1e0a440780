"""Pages of proposals from their rows, in the viewer's words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session, select

from callcenter.domain.enums import ProposalKind, ProposalState, RuleState
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.proposal_queries import proposal_of, proposals
from callcenter.models import Proposal, TriggerRule
from callcenter.reporting.rule_people import names_of
from callcenter.triggers.life import TRIAL_DAYS, RuleAct, WhyNot, why_not
from callcenter.triggers.queries import facts_of_version, versions_of
from callcenter.web.draft_view import curve_of
from callcenter.web.edge import frame, viewer
from callcenter.web.formats import signed
from callcenter.web.pages import proposals as page
from callcenter.web.pages.curves import RecoveryCurve
from callcenter.web.pages.trials import Arm
from callcenter.web.proposal_words import (
    KINDS,
    STATES,
    WAIT_NOTES,
    WAYS,
    accepting_words,
    change_words,
    gain_words,
    reason_words,
    seconds_words,
    why_words,
)
from callcenter.web.rules_view import changes_of, label_of, rule_url, words_of
from callcenter.web.trial_view import points_of, trial_of

URL = "/studio/proposals"


def proposals_page(session: Session, chosen: UUID | None, now: datetime) -> page.ProposalsPage:
    """Return every proposal, and one in full: the chosen one, else the first that waits for somebody."""
    found = proposals(session)
    rules = _rules(session, found)
    names = names_of(session, [one.decided_by for one in found])
    one = proposal_of(session, chosen) if chosen else next(iter(found), None)
    return page.ProposalsPage(
        frame=frame("proposals"),
        waiting=sum(row.state == ProposalState.OPEN for row in found),
        rows=tuple(_row(row, rules, names, one) for row in found),
        detail=_detail(session, one, rules, names, now) if one else None,
    )


def _rules(session: Session, found: Sequence[Proposal]) -> Mapping[UUID, TriggerRule]:
    ids = {one.rule_id for one in found} | {one.trial_rule_id for one in found if one.trial_rule_id}
    rows = session.exec(select(TriggerRule).where(TriggerRule.id.in_(ids))) if ids else ()  # type: ignore[attr-defined]
    return {row.id: row for row in rows}


def _row(
    row: Proposal,
    rules: Mapping[UUID, TriggerRule],
    names: Mapping[UUID, str],
    chosen: Proposal | None,
) -> page.ProposalRow:
    rule = rules[row.rule_id]
    return page.ProposalRow(
        href=f"{URL}/{row.id}",
        rule=label_of(rule),
        kind=str(KINDS[row.kind]),
        change=change_words(row),
        gain=gain_words(row),
        state=str(row.state),
        state_label=str(STATES[row.state]),
        at=row.state_at,
        because=_because(row, names),
        is_chosen=chosen is not None and chosen.id == row.id,
    )


def _because(row: Proposal, names: Mapping[UUID, str]) -> str:
    said = [reason_words(row.reason)] if row.reason else []
    if row.decided_by and row.decided_by in names:
        said.insert(0, gettext("by %(name)s", name=names[row.decided_by]))
    return ": ".join(said)


def _detail(
    session: Session,
    row: Proposal,
    rules: Mapping[UUID, TriggerRule],
    names: Mapping[UUID, str],
    now: datetime,
) -> page.ProposalDetail:
    rule = rules[row.rule_id]
    trial = rules.get(row.trial_rule_id) if row.trial_rule_id else None
    journey = journeys_loaded(session).get(rule.journey)
    told = row.evidence
    may, reason = _may(session, row, rule, trial)
    load = told.get("load") or {}
    return page.ProposalDetail(
        id=str(row.id),
        row=_row(row, rules, names, row),
        rule_href=rule_url(row.rule_key),
        words=words_of(row.definition or rule.definition, journey)[0],
        changes=changes_of(rule.definition, row.definition, journey) if row.definition else (),
        why=why_words(row),
        accepting=accepting_words(row.kind),
        may=may,
        days=TRIAL_DAYS if row.kind == ProposalKind.WAIT else (),
        why_not=reason,
        estimates=_estimates(told),
        waits=_waits(told),
        arms=_arms(row),
        difference=points_of(told.get("difference")),
        evidence=told.get("evidence"),
        effective_sample=told.get("effective_sample"),
        warning=_warning(told),
        load=page.Load(**{name: load[name] for name in page.Load.__slots__}) if "fired" in load else None,
        load_problem=load.get("failed"),
        trial=trial_of(session, trial, now) if trial else None,
        trial_href=rule_url(row.rule_key, trial.version) if trial else None,
        curve=_curve(session, row, rule, journey),
    )


def _may(
    session: Session, row: Proposal, rule: TriggerRule, trial: TriggerRule | None
) -> tuple[frozenset[str], str | None]:
    """What the viewer may do with a proposal, and why not more."""
    if row.state == ProposalState.OPEN:
        if rule.state not in (RuleState.LIVE, RuleState.PAUSED):
            return frozenset({"decline"}), gettext("The rule says something else by now.")
        if row.kind == ProposalKind.WAIT and rule.state == RuleState.PAUSED:
            return frozenset({"decline"}), gettext("The rule is paused, so nothing can be tried beside it.")
        return frozenset({"accept", "decline"}), None
    if row.state == ProposalState.ADOPTED:
        is_current = trial is None or trial.state in (RuleState.LIVE, RuleState.PAUSED)
        return frozenset({"roll_back"} if is_current else ()), None
    if row.state in (ProposalState.CANARY, ProposalState.IN_REVIEW) and trial is not None:
        ends = {"roll_back"} if row.state == ProposalState.CANARY else {"decline"}
        facts = facts_of_version(trial, versions_of(session, row.rule_key))
        match why_not(RuleAct.PUBLISH, facts, viewer().id):
            case None:
                return frozenset({"adopt", *ends}), None
            case WhyNot.OWN_WORK:
                return frozenset(ends), gettext("You accepted it. A second person must adopt it.")
            case _:
                return frozenset(ends), gettext("Another version went live meanwhile.")
    return frozenset(), None


def _estimates(told: Mapping[str, Any]) -> tuple[page.Estimate, ...]:
    return tuple(
        page.Estimate(
            name=str(WAYS[way]),
            conversions=points_of(gain["conversions"]) or (0.0, 0.0, 0.0),
            minutes=_three(gain["minutes"]),
            per_hour=_three(gain["per_hour"]),
            is_the_gate=way == "dr",
        )
        for way, gain in told.get("gain", {}).items()
    )


def _waits(told: Mapping[str, Any]) -> tuple[page.WaitRow, ...]:
    now = told.get("wait_now")
    return tuple(
        page.WaitRow(
            wait=seconds_words(one["wait"]),
            visits=one["visits"],
            converted=one["converted"],
            minutes=one["minutes"] / one["visits"] if one["visits"] else 0.0,
            note=gettext("as it is") if one["wait"] == now else str(WAIT_NOTES.get(one["verdict"], "")),
        )
        for one in told.get("waits", ())
    )


def _arms(row: Proposal) -> tuple[Arm, ...]:
    names = {
        "assigned": gettext("Called or to be called"),
        "held_out": gettext("Held out"),
        "a": gettext("Variant %(v)s", v="A"),
        "b": gettext("Variant %(v)s", v="B"),
    }
    told = row.evidence
    return tuple(
        Arm(name, told[code][0], told[code][1])
        for code, name in names.items()
        if isinstance(told.get(code), list)
    )


def _warning(told: Mapping[str, Any]) -> str | None:
    """Fewer conversions in all, though more an hour: people must decide whether the time is needed elsewhere."""
    gain = told.get("gain", {}).get("dr")
    if not gain or gain["conversions"][1] >= 0:
        return None
    return gettext(
        "More for each hour, yet %(points)s points a visit: worth it only where the agents' time is needed "
        "for other calls.",
        points=signed(100 * gain["conversions"][1], 1),
    )


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    low, point, high = values
    return low, point, high


def _curve(
    session: Session, row: Proposal, rule: TriggerRule, journey: JourneyDefinition | None
) -> RecoveryCurve | None:
    if row.kind != ProposalKind.WAIT or journey is None:
        return None
    return curve_of(session, rule.journey, rule.step, row.evidence["wait"] / 60)

"""Pages of one rule and its versions, from their rows, in the viewer's words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.enums import ProposalState, RuleState
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput, NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.proposal_queries import proposals_of_rule
from callcenter.models import TriggerRule
from callcenter.reporting.acts import last_acts
from callcenter.reporting.changes_in_words import change_in_words
from callcenter.reporting.rule_people import names_of, visits_open_on
from callcenter.reporting.rules_in_words import rule_in_words
from callcenter.triggers.differences import differences
from callcenter.triggers.life import TRIAL_DAYS, RuleAct, WhyNot, acts_open, why_not
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import facts_of_version, versions_of, versions_underway
from callcenter.triggers.trial_queries import version_before
from callcenter.web.back_test_view import back_test_part
from callcenter.web.band_view import band_of
from callcenter.web.edge import chosen, frame, language, runtime, viewer
from callcenter.web.pages import rules as page
from callcenter.web.rule_acts import act_words
from callcenter.web.rule_form import as_yaml
from callcenter.web.trial_view import trial_of
from callcenter.web.words import step_words

SHOWN_ACTS = 40
_TO_PUBLISH = (RuleState.IN_REVIEW, RuleState.CANARY)


def rule_url(rule_key: str, version: int | None = None) -> str:
    """The address of a rule, or of one of its versions."""
    return f"/studio/rules/{rule_key}" + (f"/versions/{version}" if version is not None else "")


def the_versions(session: Session, rule_key: str) -> Sequence[TriggerRule]:
    """Every version of a rule, the newest first. Raises NotFound when there is no such rule."""
    if rows := versions_of(session, rule_key):
        return rows
    raise NotFound(f"There is no rule {rule_key!r}.")


def the_version(rows: Sequence[TriggerRule], number: int) -> TriggerRule:
    """One of the versions. Raises NotFound when there is none of this number."""
    for row in rows:
        if row.version == number:
            return row
    raise NotFound(f"Rule {rows[0].rule_key!r} has no version {number}.")


def standard_of(row: TriggerRule, rows: Sequence[TriggerRule]) -> TriggerRule | None:
    """What a version is compared with: the newest published one below it."""
    return next((one for one in rows if one.version < row.version and one.published_at), None)


def label_of(row: TriggerRule) -> str:
    """The rule's title in the viewer's language."""
    title = row.definition.get("title", row.rule_key)
    return title if isinstance(title, str) else chosen(title, row.rule_key)


def words_of(definition: Mapping[str, Any], journey: JourneyDefinition | None) -> tuple[str, str | None]:
    """A definition as a sentence, and what is wrong with it where it no longer fits its journey."""
    if journey is None:
        return "", gettext("Its journey is not loaded any more.")
    try:
        spec = read_rule(definition, journey)
    except BadInput as error:
        return "", error.message
    return rule_in_words(spec, definition.get("conditions"), journey, language()), None


def changes_of(
    before: Mapping[str, Any], after: Mapping[str, Any], journey: JourneyDefinition | None
) -> tuple[str, ...]:
    """The differences of two definitions in words."""
    if journey is None:
        return ()
    return tuple(change_in_words(one, journey, language()) for one in differences(before, after))


def rule_page(session: Session, rule_key: str, now: datetime) -> page.RulePage:
    """Return a rule as it stands: the live or paused version, else the last that was, else the newest."""
    rows = the_versions(session, rule_key)
    journeys = journeys_loaded(session)
    names = _names(session, rows)
    current = [one for one in rows if one.state in (RuleState.LIVE, RuleState.PAUSED)]
    shown = (current or [one for one in rows if one.published_at] or list(rows))[0]
    journey = journeys.get(shown.journey)
    words, problem = words_of(shown.definition, journey)
    tried = next((one for one in rows if one.state == RuleState.CANARY), None)
    before = version_before(rows)
    return page.RulePage(
        frame=frame("rules"),
        key=rule_key,
        label=label_of(shown),
        journey=chosen(journey.title, journey.id) if journey else shown.journey,
        step=step_words(journey, shown.step, language()) if journey else shown.step,
        shown=_row(shown, rows, names, journey),
        words=words,
        yaml=as_yaml(shown.definition),
        may=acts_open(facts_of_version(shown, rows), viewer().id),
        versions=tuple(_row(one, rows, names, journeys.get(one.journey)) for one in rows),
        acts=act_rows(session, rule_key, now),
        problem=problem,
        trial=trial_of(session, tried, now) if tried else None,
        back_to=before.version if before else None,
        band=band_of(session, shown, journey, runtime().house.global_holdout)
        if journey and not problem and shown.state == RuleState.LIVE
        else None,
        proposed=sum(one.state == ProposalState.OPEN for one in proposals_of_rule(session, rule_key)),
    )


def version_page(session: Session, rule_key: str, number: int, now: datetime) -> page.VersionPage:
    """Return one version to read, or to review where it waits for that."""
    rows = the_versions(session, rule_key)
    row = the_version(rows, number)
    journey = journeys_loaded(session).get(row.journey)
    words, problem = words_of(row.definition, journey)
    facts = facts_of_version(row, rows)
    reason = why_not(RuleAct.PUBLISH, facts, viewer().id)
    return page.VersionPage(
        frame=frame("rules"),
        key=rule_key,
        label=label_of(row),
        journey=chosen(journey.title, journey.id) if journey else row.journey,
        shown=_row(row, rows, _names(session, rows), journey),
        words=words,
        yaml=as_yaml(row.definition),
        may=acts_open(facts, viewer().id),
        why_not=_why_not_words(reason, rows) if row.state in _TO_PUBLISH else None,
        open_visits=visits_open_on(session, row.journey, row.step),
        acts=tuple(one for one in act_rows(session, rule_key, now, number)),
        problem=problem,
        trial=trial_of(session, row, now) if journey and not problem else None,
        days=TRIAL_DAYS,
        back_test=back_test_part(session, rule_key, number, now),
    )


def _why_not_words(reason: WhyNot | None, rows: Sequence[TriggerRule]) -> str | None:
    if reason is WhyNot.OWN_WORK:
        return gettext("You wrote or sent it. A second person must publish it.")
    if reason is WhyNot.OVERTAKEN:
        newest = max(one.version for one in rows if one.published_at)
        return gettext(
            "v%(n)s went live meanwhile. Send this one back and begin a draft from v%(n)s.", n=newest
        )
    return None


def _names(session: Session, rows: Sequence[TriggerRule]) -> Mapping[UUID, str]:
    return names_of(
        session, [one for row in rows for one in (row.created_by, row.submitted_by, row.published_by)]
    )


def _row(
    row: TriggerRule,
    rows: Sequence[TriggerRule],
    names: Mapping[UUID, str],
    journey: JourneyDefinition | None,
) -> page.VersionRow:
    standard = standard_of(row, rows)
    return page.VersionRow(
        number=row.version,
        state="discarded" if row.state == RuleState.RETIRED and not row.published_at else row.state,
        at=row.state_at,
        href=rule_url(row.rule_key, row.version),
        by=_by(row, names),
        note=row.note,
        changes=changes_of(standard.definition, row.definition, journey) if standard else (),
        against=standard.version if standard else None,
        was_published=row.published_at is not None,
    )


def _by(row: TriggerRule, names: Mapping[UUID, str]) -> str | None:
    """Who brought a version into its state, where its row tells; who paused or ended it tells the audit trail."""
    if row.state == RuleState.LIVE and row.state_at == row.published_at:
        return names.get(row.published_by) if row.published_by else None
    if row.state in (RuleState.DRAFT, RuleState.IN_REVIEW) or not row.published_at:
        person = row.submitted_by or row.created_by
        return names.get(person) if person else None
    return None


def act_rows(
    session: Session, rule_key: str, now: datetime, version: int | None = None
) -> tuple[page.ActRow, ...]:
    """Who did what to a rule, the latest first; to one of its versions only if that is given."""
    return tuple(
        page.ActRow(one.at, act_words(one), one.by or _nobody(one.act))
        for one in last_acts(session, rule_key, "rule", now, SHOWN_ACTS)
        if version is None or one.detail.get("version") == version
    )


def _nobody(act: str) -> str:
    """Who did what no person did: the system, or whoever may type at the server's shell."""
    by_itself = act.startswith(("rule.proposed", "rule.proposal_", "rule.trial_stopped"))
    return gettext("the system") if by_itself else gettext("the command line")


def draft_rows(session: Session) -> tuple[page.DraftRow, ...]:
    """The drafts and versions in review of all rules, those in review first."""
    rows = versions_underway(session)
    journeys = journeys_loaded(session)
    names = _names(session, rows)
    return tuple(
        page.DraftRow(
            label=label_of(row),
            number=row.version,
            state=row.state,
            at=row.state_at,
            href=rule_url(row.rule_key, row.version),
            by=names.get(person) if (person := row.submitted_by or row.created_by) else None,
            journey=chosen(journeys[row.journey].title, row.journey)
            if row.journey in journeys
            else row.journey,
            waits_for_viewer=why_not(RuleAct.PUBLISH, facts_of_version(row, [row]), viewer().id) is None,
        )
        for row in rows
    )

"""What people do about what customers say, and how customers are asked: suggestions, the survey after a call.

Verbs as in the pipeline, and beside it: each takes a session, ids or frozen values and `now`, and commits
nothing. Each act of a person is in the audit trail. An answer comes in as an event of the customer, the way
every other event does, so that rules, histories and back-tests know of it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter import moves, outbox, pipeline
from callcenter.accounts import service as accounts
from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.domain.enums import Purpose, Role, SuggestionState, SurveyGroup
from callcenter.domain.events import EventValue
from callcenter.errors import BadInput, Conflict, Forbidden
from callcenter.intake import kept_apart
from callcenter.intake.own_sources import SURVEY, own_source
from callcenter.intake.rules import EventBatch
from callcenter.journeys import queries as journey_queries
from callcenter.journeys import service as journeys
from callcenter.models import Customer, Suggestion, SurveyInvite, User
from callcenter.moves import House
from callcenter.triggers import queries as trigger_queries
from callcenter.voice import queries, rules
from callcenter.voice import service as voice
from callcenter.voice.feedback import FEEDBACK
from callcenter.voice.policy import MOST_ANSWER
from callcenter.voice.queries import ToAsk

# -- suggestions --------------------------------------------------------------------------------------------


def make_suggestion(
    session: Session, title: str, attempt_ids: Collection[UUID], user_id: UUID, now: datetime
) -> Suggestion:
    """Make a suggestion of wishes that were taken down on calls. Raises BadInput."""
    row = voice.make_suggestion(session, title, user_id, now)
    linked = voice.link_wishes(session, row.id, attempt_ids, user_id, now)
    _record(session, row.id, user_id, "suggestion.made", now, wishes=linked)
    return row


def link_wishes(
    session: Session, suggestion_id: UUID, attempt_ids: Collection[UUID], user_id: UUID, now: datetime
) -> int:
    """Add wishes to a suggestion; return how many. Raises BadInput, NotFound, Conflict."""
    row = voice.lock_suggestion(session, suggestion_id)
    linked = voice.link_wishes(session, row.id, attempt_ids, user_id, now)
    if linked:
        row.changed_at = now
        _record(session, row.id, user_id, "suggestion.linked", now, wishes=linked)
    return linked


def unlink_wish(
    session: Session, suggestion_id: UUID, attempt_id: UUID, user_id: UUID, now: datetime
) -> None:
    """Take a wish out of a suggestion again; it waits to be grouped then."""
    row = voice.lock_suggestion(session, suggestion_id)
    if voice.unlink_wish(session, row.id, attempt_id):
        row.changed_at = now
        _record(session, row.id, user_id, "suggestion.unlinked", now, attempt_id=str(attempt_id))


def merge_suggestions(
    session: Session, suggestion_id: UUID, into_id: UUID, user_id: UUID, now: datetime
) -> None:
    """Merge a suggestion into another, which gets its wishes. Raises BadInput, NotFound, Conflict."""
    # Two merges the two ways round must not wait for each other.
    locked = {one: voice.lock_suggestion(session, one) for one in sorted({suggestion_id, into_id})}
    moved = voice.merge(session, locked[suggestion_id], locked[into_id], now)
    _record(session, suggestion_id, user_id, "suggestion.merged", now, into=str(into_id), wishes=moved)


def change_suggestion(
    session: Session,
    suggestion_id: UUID,
    user_id: UUID,
    now: datetime,
    *,
    title: str,
    state: str,
    owner_id: UUID | None,
    reason: str,
) -> None:
    """Say what is to be done about a suggestion, by whom, and why not. Raises BadInput, NotFound, Conflict."""
    if state not in set(SuggestionState):
        raise BadInput("Choose one of the states shown.", {"state": ["one of those shown"]})
    if owner_id is not None and owner_id not in {one.id for one in owners(session)}:
        raise BadInput("Choose one of the owners shown.", {"owner": ["one of those shown"]})
    row = voice.lock_suggestion(session, suggestion_id)
    was = row.state
    if voice.change_suggestion(row, title, SuggestionState(state), owner_id, reason, now):
        owner = str(owner_id) if owner_id else None
        _record(session, row.id, user_id, "suggestion.changed", now, state=state, was=str(was), owner=owner)


def owners(session: Session) -> list[User]:
    """List who may own a suggestion: whoever works in the studio, by name."""
    wanted = select(User).where(col(User.is_active)).where(col(User.role).in_([Role.STRATEGIST, Role.ADMIN]))
    return list(session.exec(wanted.order_by(User.name, col(User.id))))


def _record(
    session: Session, suggestion_id: UUID, user_id: UUID, act: str, now: datetime, **detail: object
) -> None:
    accounts.record(session, user_id, act, f"suggestion {suggestion_id}", now, **detail)
    outbox.ring(session, outbox.STUDIO)


def hand_out_voice(session: Session, what: str, rows: int, user_id: UUID, now: datetime) -> None:
    """Write down that a list of what customers said was taken out."""
    accounts.record(session, user_id, "voice.exported", what, now, rows=rows)


# -- surveys ------------------------------------------------------------------------------------------------


def set_survey(
    session: Session, journey: str, rule_key: str, is_on: bool | None, user_id: UUID, now: datetime
) -> None:
    """Ask the customers of a campaign, or of one rule of it, after their calls, or ask them no longer.

    `is_on` None lets a rule do as its campaign does. The first to ask brings the journey that answers belong to.
    Raises BadInput for a campaign or rule there is not.
    """
    definitions = journey_queries.journeys_loaded(session)
    if journey not in definitions:
        raise BadInput("There is no such campaign. Load the page again.")
    if rule_key:
        spec = trigger_queries.current_rules(session, definitions).spec(rule_key)
        if spec is None or spec.journey != journey:
            raise BadInput("There is no such rule in this campaign. Load the page again.")
    elif is_on is None:
        raise BadInput("A campaign asks its customers or does not. Choose one of the two.")
    if is_on and not any(rules.EVENT in one.roles for one in definitions.values()):
        journeys.load_journey(session, FEEDBACK, definitions.values(), now)
    if voice.set_survey(session, journey, rule_key, is_on, user_id, now):
        subject = f"{journey}/{rule_key}" if rule_key else journey
        accounts.record(session, user_id, "survey.set", subject, now, is_on=is_on)
        outbox.ring(session, outbox.STUDIO)


def invite_after_calls(session: Session, house: House, now: datetime) -> int:
    """Have those asked who were spoken with lately, where their rule or campaign asks; return how many.

    Nobody is asked whom the gate bars for good, or who objected to calls or marketing; that is kept with its
    reason. Who was only held out was never spoken with, and so is never asked.
    """
    if not queries.may_invite(session):
        return 0
    found = queries.customers_to_ask(session, now)
    if not found:
        return 0
    withheld = _why_withheld(session, house, found, now)
    voice.keep_invites(session, [(one, withheld.get(one.customer_id)) for one in found], now)
    outbox.ring(session, outbox.STUDIO)
    return sum(one.customer_id not in withheld for one in found)


def _why_withheld(session: Session, house: House, found: list[ToAsk], now: datetime) -> dict[UUID, str]:
    """Say of those who are not asked why; nothing is kept of the gate's answer, for no call is made."""
    ids = [one.customer_id for one in found]
    people = {one.id: one for one in session.exec(select(Customer).where(col(Customer.id).in_(ids)))}
    why: dict[UUID, str] = dict.fromkeys(queries.objecting(session, ids, now), "objection")
    why |= {one.id: "customer_frozen" for one in people.values() if one.frozen_at is not None}
    calls = [ProposedCall(people[one.customer_id], Purpose(one.purpose), one.journey) for one in found]
    for call, (facts, policy) in zip(calls, look(session, house.gate, calls, now), strict=True):
        verdict = screen_customer(facts, policy, now)
        if not verdict.may_call and verdict.next_allowed_at is None:
            why.setdefault(call.customer.id, str(verdict.reasons[0]))
    return why


class LinkUnknown(Forbidden):
    """A survey's link that this house has not made, or that asks nobody any more."""

    code = "unknown_link"


class AlreadyAnswered(Conflict):
    """A survey that has its one answer."""

    code = "already_answered"


def survey_asked(session: Session, key: bytes, token: str, now: datetime) -> SurveyInvite:
    """Return the open survey of a link. Raises LinkUnknown, or AlreadyAnswered when it has its answer."""
    survey_id = rules.read_token(key, token)
    row = queries.survey_of(session, survey_id) if survey_id else None
    if row is None:
        raise LinkUnknown("This link does not work. Open it from the message again.")
    if row.answered_at is not None:
        raise AlreadyAnswered("This survey has your answer already. Thank you.")
    if row.expires_at <= now:
        raise LinkUnknown("This link is too old. Thank you for wanting to tell us.")
    return row


@dataclass(frozen=True, slots=True)
class Answered:
    """That an answer is kept, and in which group it puts the customer."""

    survey_id: UUID
    group: SurveyGroup


def take_answer(
    session: Session, key: bytes, token: str, score: int | None, answer: str, now: datetime
) -> Answered:
    """Keep a customer's one answer, note their group, and take it in as an event of theirs.

    Raises LinkUnknown and AlreadyAnswered, and BadInput without a number from 0 to 10.
    """
    row = survey_asked(session, key, token, now)
    if score is None or score not in rules.SCORES:
        raise BadInput("Choose a number from 0 to 10.", {"score": ["from 0 to 10"]})
    customer = moves.lock_customer(session, row.customer_id)
    if not voice.keep_answer(session, row.id, score, answer.replace("\x00", "").strip()[:MOST_ANSWER], now):
        survey_asked(session, key, token, now)
        raise LinkUnknown("This link is too old. Thank you for wanting to tell us.")
    group = rules.group_of(score)
    kept_apart.set_survey_group(customer, group, now)
    session.flush()
    source = own_source(session, SURVEY, now)
    if customer.external_id and source.is_enabled:
        event = _event(row, customer.external_id, score, group, now)
        pipeline.take_events(session, source, EventBatch((event,), ()), now)
    outbox.ring(session, outbox.STUDIO)
    return Answered(row.id, group)


def _event(row: SurveyInvite, external_id: str, score: int, group: SurveyGroup, now: datetime) -> EventValue:
    """The answer as an event: the number and what it was about; what the customer wrote stays in the survey."""
    return EventValue(
        message_id=f"survey-{row.id}",
        kind="track",
        name=rules.EVENT,
        step_key=rules.EVENT,
        event_time=now,
        received_at=now,
        user_id=external_id,
        properties={
            "survey": str(row.id),
            "score": score,
            "group": group.value,
            "about_journey": row.journey,
            "about_step": row.step,
            "about_rule": row.rule_key,
        },
    )

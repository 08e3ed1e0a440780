"""The ledgers of suppression and consent: only ever added to, and what people see in them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, func, select

from callcenter.compliance import ledger_queries as look
from callcenter.compliance import ledgers
from callcenter.compliance.consent_events import ConsentDraft, consents_in, problems_in
from callcenter.compliance.ledgers import NewSuppression
from callcenter.compliance.number_key import ENTRIES, check_number_key, fingerprint_of, unreadable_lists
from callcenter.compliance.numbers import hash_number
from callcenter.compliance.queries import ProposedCall, facts_of_calls
from callcenter.compliance.rekeying import rekey_entries
from callcenter.domain.contact import CustomerFacts
from callcenter.domain.enums import AttemptState, ConsentAct, Purpose, SuppressionKind, SuppressionScope
from callcenter.domain.events import EventValue, PlacedEvent
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, ConfigError, Conflict, NotFound
from callcenter.models import Consent, ContactAttempt, Customer, Suppression, SuppressionList
from tests.factories import NOON_IN_SHANGHAI as NOW

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NUMBER = "+8613800138000"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BAR = NewSuppression(kind=SuppressionKind.DO_NOT_CALL, source="letter of 1 May", number=NUMBER)


@pytest.fixture
def customer(session: Session) -> Customer:
    """A customer with a number."""
    row = Customer(
        id=derived_id("customer", "c1"), external_id="c1", number=NUMBER, created_at=NOW, updated_at=NOW
    )
    session.add(row)
    session.flush()
    return row


def facts(
    session: Session, customer: Customer, purpose: Purpose = Purpose.SERVICE, at: datetime = NOW
) -> CustomerFacts:
    (known,) = facts_of_calls(session, [ProposedCall(customer, purpose, "loan")], KEY, at)
    return known


def bars(session: Session, customer: Customer, purpose: Purpose = Purpose.SERVICE) -> list[SuppressionKind]:
    known = facts(session, customer, purpose)
    return [one.kind for one in known.suppressions if one.concerns(known.purpose, known.campaign)]


# -- suppression


def test_a_bar_counts_by_person_and_by_number_and_until_it_is_lifted(
    session: Session, customer: Customer
) -> None:
    by_number = ledgers.add_suppression(session, KEY, BAR, NOW)
    by_person = ledgers.add_suppression(
        session,
        KEY,
        NewSuppression(kind=SuppressionKind.DECEASED, source="branch", customer_id=customer.id),
        NOW,
    )
    assert set(bars(session, customer)) == {SuppressionKind.DO_NOT_CALL, SuppressionKind.DECEASED}
    ledgers.lift(session, by_number.id or 0, "letter", "number changed hands", NOW + HOUR, None)
    assert bars(session, customer) == [SuppressionKind.DECEASED]
    ledgers.lift(session, by_person.id or 0, "branch", "alive", NOW + HOUR, None)
    assert bars(session, customer) == []


@pytest.mark.parametrize(
    ("scope", "limits", "purpose", "is_barred"),
    [
        (SuppressionScope.PURPOSE, {"purpose": Purpose.MARKETING}, Purpose.MARKETING, True),
        (SuppressionScope.PURPOSE, {"purpose": Purpose.MARKETING}, Purpose.SERVICE, False),
        (SuppressionScope.CAMPAIGN, {"campaign": "loan"}, Purpose.SERVICE, True),
        (SuppressionScope.CAMPAIGN, {"campaign": "card"}, Purpose.SERVICE, False),
        (SuppressionScope.NUMBER, {}, Purpose.COLLECTION, True),
    ],
)
def test_a_bar_reaches_as_far_as_its_scope(
    session: Session,
    customer: Customer,
    scope: SuppressionScope,
    limits: dict[str, Any],
    purpose: Purpose,
    is_barred: bool,
) -> None:
    ledgers.add_suppression(session, KEY, replace(BAR, scope=scope, **limits), NOW)
    assert bool(bars(session, customer, purpose)) is is_barred


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("customer", {"number": None}),
        ("scope", {"scope": SuppressionScope.NUMBER, "customer_id": derived_id("customer", "c1")}),
        ("scope", {"campaign": "loan"}),
        ("purpose", {"scope": SuppressionScope.PURPOSE}),
        ("campaign", {"scope": SuppressionScope.CAMPAIGN}),
        ("source", {"source": "  "}),
        ("reason", {"reason": "a\x00b"}),
        ("proof", {"proof": "p" * 501}),
        ("expires_at", {"expires_at": NOW}),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(
    session: Session, field: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(BadInput) as refused:
        ledgers.add_suppression(session, KEY, replace(BAR, **wrong), NOW)
    assert field in refused.value.fields


def test_an_entry_is_lifted_once_and_a_lifting_is_not_lifted(session: Session) -> None:
    entry = ledgers.add_suppression(session, KEY, BAR, NOW)
    lifting = ledgers.lift(session, entry.id or 0, "letter", "asked", NOW, None)
    for wrong in (entry.id, lifting.id):
        with pytest.raises(Conflict):
            ledgers.lift(session, wrong or 0, "letter", "asked", NOW, None)
    with pytest.raises(NotFound):
        ledgers.lift(session, 10**9, "letter", "asked", NOW, None)


def test_people_see_what_stands_and_what_stood_and_who_said_so(session: Session, customer: Customer) -> None:
    entry = ledgers.add_suppression(session, KEY, replace(BAR, reason="asked", proof="scan 7"), NOW)
    brief = NewSuppression(
        kind=SuppressionKind.COMPLAINT,
        source="complaints desk",
        customer_id=customer.id,
        expires_at=NOW + HOUR,
    )
    ledgers.add_suppression(session, KEY, brief, NOW)
    ledgers.lift(session, entry.id or 0, "letter", "changed hands", NOW + HOUR, None)
    newest, first = look.entries_of_customer(session, KEY, customer, NOW + 2 * HOUR)
    assert (newest.kind, newest.in_force, newest.about_person, newest.about_number) == (
        SuppressionKind.COMPLAINT, False, True, False,
    )  # fmt: skip
    assert (first.reason, first.proof, first.lifted_at, first.lift_reason, first.in_force) == (
        "asked", "scan 7", NOW + HOUR, "changed hands", False,
    )  # fmt: skip
    assert look.entries_of_customer(session, KEY, customer, NOW)[0].in_force
    assert [one.id for one in look.entries_of_number(session, KEY, NUMBER, NOW)] == [entry.id]
    assert look.entries_of_number(session, OTHER_KEY, NUMBER, NOW) == []


@pytest.mark.parametrize("table", ["suppression", "consent"])
@pytest.mark.parametrize("act", ["UPDATE {} SET source = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_a_ledger(
    session: Session, customer: Customer, table: str, act: str
) -> None:
    ledgers.add_suppression(session, KEY, BAR, NOW)
    consent(session, customer.id)
    with pytest.raises(IntegrityError, match="only ever added to"), session.begin_nested():
        session.execute(text(act.format(table)))


# -- the key


def test_an_entry_or_list_under_another_key_is_noticed_and_bars_the_start(session: Session) -> None:
    check_number_key(session, KEY, NOW)
    ledgers.add_suppression(session, KEY, BAR, NOW)
    check_number_key(session, KEY, NOW)
    with pytest.raises(ConfigError, match="entries of numbers"):
        check_number_key(session, OTHER_KEY, NOW)
    session.add(
        SuppressionList(
            key="us-dnc",
            source="registry",
            imported_at=NOW,
            as_of=NOW,
            accepted=1,
            in_force=True,
            key_fingerprint=fingerprint_of(OTHER_KEY),
        )
    )
    session.flush()
    assert unreadable_lists(session, KEY, NOW) == ["us-dnc"]
    with pytest.raises(ConfigError, match="NUMBER_KEY is not set"):
        check_number_key(session, b"", NOW)


def test_an_entry_that_is_lifted_or_ended_needs_no_key(session: Session) -> None:
    entry = ledgers.add_suppression(session, KEY, BAR, NOW)
    ledgers.add_suppression(session, KEY, replace(BAR, expires_at=NOW + HOUR), NOW)
    ledgers.lift(session, entry.id or 0, "letter", "asked", NOW, None)
    assert unreadable_lists(session, OTHER_KEY, NOW) == ["entries of numbers"]
    assert unreadable_lists(session, OTHER_KEY, NOW + HOUR) == []


def test_under_a_new_key_entries_of_known_numbers_are_kept_anew_and_others_bar_on(
    session: Session, customer: Customer
) -> None:
    of_customer = replace(
        BAR,
        kind=SuppressionKind.REFUSAL,
        scope=SuppressionScope.CAMPAIGN,
        campaign="loan",
        customer_id=customer.id,
    )
    known = ledgers.add_suppression(session, OTHER_KEY, of_customer, NOW - DAY)
    stranger = ledgers.add_suppression(session, OTHER_KEY, replace(BAR, number="+442079460018"), NOW)
    done = rekey_entries(session, OTHER_KEY, KEY, NOW)
    assert (done.moved, done.left) == (1, (stranger.id,))
    (anew,) = look.entries_of_number(session, KEY, NUMBER, NOW)
    assert (anew.created_at, anew.campaign, anew.source, anew.in_force) == (
        NOW - DAY,
        "loan",
        BAR.source,
        True,
    )
    (former,) = look.entries_of_number(session, OTHER_KEY, NUMBER, NOW)
    assert (former.id, former.in_force) == (known.id, False)
    assert unreadable_lists(session, KEY, NOW) == [ENTRIES]
    ledgers.lift(session, stranger.id or 0, "rekey", "added again", NOW, None)
    check_number_key(session, KEY, NOW)
    assert rekey_entries(session, OTHER_KEY, KEY, NOW).moved == 0


def test_a_fingerprint_tells_neither_the_key_nor_a_number() -> None:
    assert len(fingerprint_of(KEY)) == 16
    assert fingerprint_of(KEY) != fingerprint_of(OTHER_KEY)
    assert not hash_number(KEY, NUMBER).hex().startswith(fingerprint_of(KEY))


def test_the_database_takes_no_hash_that_does_not_name_its_key(session: Session) -> None:
    bare = Suppression(
        kind=SuppressionKind.DO_NOT_CALL,
        scope=SuppressionScope.GLOBAL,
        number_hash=b"x" * 16,
        source="x",
        created_at=NOW,
    )
    with pytest.raises(IntegrityError, match="hash_names_its_key"), session.begin_nested():
        session.add(bare)
        session.flush()


# -- consent


def consent(session: Session, customer_id: UUID, at: datetime = NOW, **other: Any) -> bool:
    return ledgers.give_consent(
        session,
        customer_id,
        Purpose.MARKETING,
        **{"text_version": "v3", "proof": "form 12", "source": "branch", "at": at, "now": NOW, **other},
    )


def test_consent_stands_from_when_it_is_given_until_it_is_withdrawn(
    session: Session, customer: Customer
) -> None:
    assert facts(session, customer, Purpose.MARKETING).consents_until == ()
    assert consent(session, customer.id, NOW - DAY, expires_at=NOW + DAY)
    assert facts(session, customer, Purpose.MARKETING).consents_until == (NOW + DAY,)
    assert facts(session, customer, Purpose.COLLECTION).consents_until == ()
    assert ledgers.withdraw_consent(
        session, customer.id, Purpose.MARKETING, source="app", at=NOW - HOUR, now=NOW
    )
    assert facts(session, customer, Purpose.MARKETING).consents_until == ()


def test_the_same_consent_is_kept_once(session: Session, customer: Customer) -> None:
    assert [consent(session, customer.id) for _ in range(2)] == [True, False]
    assert session.exec(select(func.count()).select_from(Consent)).one() == 1


@pytest.mark.parametrize(
    "wrong", [{"text_version": ""}, {"proof": " "}, {"at": NOW + HOUR}, {"expires_at": NOW - HOUR}]
)
def test_a_consent_that_proves_nothing_is_refused(
    session: Session, customer: Customer, wrong: dict[str, Any]
) -> None:
    with pytest.raises(BadInput):
        consent(session, customer.id, **wrong)


def test_people_see_consents_with_when_they_were_last_used(session: Session, customer: Customer) -> None:
    consent(session, customer.id, NOW - 9 * DAY)
    ledgers.withdraw_consent(session, customer.id, Purpose.MARKETING, source="app", at=NOW - 5 * DAY, now=NOW)
    consent(session, customer.id, NOW - 3 * DAY)
    for days, purpose in ((8, "marketing"), (6, "marketing"), (4, "marketing"), (2, "service")):
        _dial(session, customer, NOW - days * DAY, purpose)
    second, withdrawal, first = look.consents_of(session, customer.id, NOW)
    assert (second.stands, second.last_used_at) == (True, None)
    assert (withdrawal.act, withdrawal.stands) == (ConsentAct.WITHDRAWN, False)
    assert (first.stands, first.last_used_at) == (False, NOW - 6 * DAY)


def _dial(session: Session, customer: Customer, at: datetime, purpose: str) -> None:
    """An attempt as its row shows it, without the call task it belongs to."""
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.add(
        ContactAttempt(
            id=derived_id("attempt", at),
            call_task_id=customer.id,
            customer_id=customer.id,
            agent_id=customer.id,
            firing_id=customer.id,
            to_number=NUMBER,
            campaign="loan",
            purpose=Purpose(purpose),
            caller_id="+15005550006",
            state=AttemptState.ENDED,
            claimed_at=at,
            last_news_at=at,
        )
    )
    session.flush()
    session.execute(text("SET LOCAL session_replication_role = origin"))


# -- what streams in


def placed(
    name: str, at: datetime = NOW, *, kind: str = "track", message: str = "m1", **says: Any
) -> PlacedEvent:
    event = EventValue(message, kind, name, name, at, NOW, user_id="c1", properties=says)
    return PlacedEvent(event, derived_id("customer", "c1"))


GIVEN = {"purpose": "marketing", "text_version": "v3", "proof": "screen 4", "channel": "app"}


def test_consent_streams_in_and_a_retry_does_not_double_it(session: Session, customer: Customer) -> None:
    events = [
        placed("Consent Given", NOW - HOUR, **GIVEN),
        placed("photo_rejected"),
        placed("Marketing Objection", channel="web"),
        placed("Consent Withdrawn", purpose="collection"),
    ]
    drafts = consents_in(events)
    assert [ledgers.note_consents(session, drafts, NOW + n * HOUR) for n in range(2)] == [3, 0]
    assert bars(session, customer, Purpose.MARKETING) == [SuppressionKind.OBJECTION]
    assert bars(session, customer, Purpose.SERVICE) == []
    assert facts(session, customer, Purpose.MARKETING).consents_until == (None,)
    (objection,) = look.entries_of_person(session, customer.id, NOW)
    assert (objection.source, objection.proof) == ("event:web", "event m1")
    assert ledgers.note_consents(session, [], NOW) == 0


def test_of_acts_in_one_moment_the_last_said_counts(session: Session, customer: Customer) -> None:
    ledgers.note_consents(
        session,
        consents_in([placed("Consent Given", **GIVEN), placed("Consent Withdrawn", purpose="marketing")]),
        NOW,
    )
    assert facts(session, customer, Purpose.MARKETING).consents_until == ()


def test_a_withdrawal_that_is_not_understood_counts_for_every_purpose() -> None:
    (bare, odd) = placed("Consent Withdrawn"), placed("Consent Withdrawn", purpose="promotions", proof=[1])
    for one in (bare, odd):
        drafts = consents_in([one])
        assert {(draft.act, draft.purpose) for draft in drafts} == {
            (ConsentAct.WITHDRAWN, purpose) for purpose in Purpose
        }
    assert [one.code for one in problems_in([bare, odd])] == ["unknown_purpose"]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("unknown_purpose", {"purpose": "promotions"}),
        ("unknown_purpose", {"purpose": None}),
        ("no_text_version", {"text_version": ""}),
        ("no_proof", {"proof": None}),
        ("bad_proof", {"proof": ["x"]}),
        ("bad_proof", {"proof": "x" * 501}),
        ("bad_channel", {"channel": {"a": 1}}),
        ("bad_expires_at", {"expires_at": "next year"}),
        ("bad_expires_at", {"expires_at": 17}),
        ("consent_ended", {"expires_at": "2020-01-01"}),
    ],
)
def test_a_consent_that_cannot_be_read_is_none_and_somebody_is_told(code: str, says: dict[str, Any]) -> None:
    event = placed("Consent Given", **{**GIVEN, **says})
    assert consents_in([event]) == []
    (problem,) = problems_in([event])
    assert (problem.code, problem.raw) == (code, {"messageId": "m1"})


def test_an_objection_counts_whatever_else_the_event_says() -> None:
    (draft,) = consents_in([placed("Marketing Objection", channel={"x": 1}, proof=3.5)])
    assert (draft.act, draft.purpose, draft.source) == (None, Purpose.MARKETING, "event")


def test_a_page_of_such_a_name_says_nothing() -> None:
    assert consents_in([placed("Consent Given", kind="page", **GIVEN)]) == []


def test_a_clock_that_is_ahead_does_not_put_off_a_withdrawal() -> None:
    (draft, *_) = consents_in([placed("Consent Withdrawn", NOW + HOUR, purpose="marketing")])
    assert draft.at == NOW


def test_what_a_device_said_holds_for_the_customer_it_turns_out_to_be(
    session: Session, customer: Customer
) -> None:
    device = derived_id("device", "d1")
    drafts = consents_in([placed("Marketing Objection"), placed("Consent Given", **GIVEN)])
    ledgers.note_consents(session, [_of(device, one) for one in drafts], NOW)
    for _ in range(2):
        ledgers.carry_over(session, [(device, customer.id)], NOW)
    assert bars(session, customer, Purpose.MARKETING) == [SuppressionKind.OBJECTION]
    assert facts(session, customer, Purpose.MARKETING).consents_until == (None,)
    assert len(look.entries_of_person(session, customer.id, NOW)) == 1
    ledgers.carry_over(session, [], NOW)


def _of(person: UUID, draft: ConsentDraft) -> ConsentDraft:
    return replace(draft, customer_id=person)

"""A bank that asks its customers after calls: a conversation held, its wrap-up saved, the survey under way."""

from uuid import UUID

from sqlmodel import col, select

from callcenter import listening, partners, pipeline
from callcenter.domain.enums import AttemptState, CallResult, Cause
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Customer, SurveyInvite
from callcenter.outcomes.rules import WrapUp
from callcenter.voice.rules import link_key, make_token
from tests.factories import Bank

RULE = "id-photo-trouble"
KEY = link_key("a-secret-for-tests-of-thirty-two-or-more")


def asks(bank: Bank, journey: str = "loan", rule: str = "", *, is_on: bool | None = True) -> None:
    """Let a campaign, or a rule of it, ask its customers."""
    listening.set_survey(bank.session, journey, rule, is_on, bank.agent_id, bank.clock.now)
    bank.session.commit()


def speaks_with(
    bank: Bank,
    disposition: str = "will_finish",
    *,
    causes: tuple[Cause, ...] = (Cause.TECHNICAL,),
    note: str = "",
    suggestion: str = "",
) -> UUID:
    """Let the agent hold one conversation and save its wrap-up; return the attempt."""
    attempt_id = bank.is_placing(RULE)
    bank.picks_up(attempt_id)
    bank.clock.go_on(minutes=3)
    bank.hears(attempt_id, AttemptState.ENDED, CallResult.COMPLETED)
    wraps_up(bank, disposition, causes=causes, note=note, suggestion=suggestion)
    return attempt_id


def wraps_up(
    bank: Bank, disposition: str, *, causes: tuple[Cause, ...] = (), note: str = "", suggestion: str = ""
) -> None:
    """Save the wrap-up of the last call task."""
    wrap_up = WrapUp(disposition, causes=causes, note=note, suggestion=suggestion)
    task = bank.tasks()[-1]
    pipeline.close_call(bank.session, bank.house, task.id, wrap_up, bank.agent_id, bank.clock.now)
    bank.session.commit()


def invites(bank: Bank) -> int:
    """Let the tick ask; return how many it asked."""
    asked = listening.invite_after_calls(bank.session, bank.house, bank.clock.go_on(seconds=10))
    bank.session.commit()
    return asked


def surveys(bank: Bank) -> list[SurveyInvite]:
    """All surveys as they are now, oldest first."""
    bank.session.expire_all()
    return list(bank.session.exec(select(SurveyInvite).order_by(col(SurveyInvite.created_at))))


def token_of(survey: SurveyInvite, key: bytes = KEY) -> str:
    """What stands in the link of a survey."""
    return make_token(key, survey.id)


def answers(bank: Bank, score: int, text: str = "") -> listening.Answered:
    """Let the customer who was asked last answer."""
    token = token_of(surveys(bank)[-1])
    answered = listening.take_answer(bank.session, KEY, token, score, text, bank.clock.go_on(minutes=5))
    bank.session.commit()
    return answered


def feedback(bank: Bank) -> JourneyDefinition:
    """The journey that answers belong to."""
    return journeys_loaded(bank.session)["feedback"]


def calls_again(bank: Bank, suggestion: str = "") -> None:
    """Hold one more conversation with the same customer, by a call task asked for by hand."""
    wanted = partners.Wanted(
        external_id=bank.session.get_one(Customer, bank.tasks()[-1].customer_id).external_id or "",
        journey="loan",
        step="id_photo",
    )
    by = partners.Partner(1, "crm")
    task = partners.ask_for_call(bank.session, bank.house, by, wanted, bank.clock.now)
    assert not isinstance(task, partners.Barred)
    bank.session.commit()
    bank.agent_is_available()
    bank.offers(task)
    dialed = bank.dials(task)
    assert isinstance(dialed, pipeline.Dialing)
    ref = f"CA-{bank.clock.now.isoformat()}"
    bank.picks_up(dialed.attempt_id, ref)
    bank.hears(dialed.attempt_id, AttemptState.ENDED, CallResult.COMPLETED, ref)
    wraps_up(bank, "will_finish", suggestion=suggestion)

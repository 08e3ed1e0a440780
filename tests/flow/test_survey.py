"""The survey after a call: who is asked, who is not, what an answer does, how a detractor comes to be called."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from sqlmodel import select

from callcenter import listening, partner_acts
from callcenter.domain.enums import FiringFate, SuppressionKind, SurveyGroup, TaskState
from callcenter.errors import BadInput
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import AuditEntry, JourneyEvent, TriggerRule, WebhookDelivery
from callcenter.triggers import service as triggers
from callcenter.voice.queries import survey_counts, total_counts
from callcenter.webhooks.rules import NewEndpoint
from tests.factories import Bank, user_in_arm
from tests.flow.asked import (
    KEY,
    RULE,
    answers,
    asks,
    calls_again,
    feedback,
    invites,
    speaks_with,
    surveys,
    token_of,
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "feedback" / "rules.yaml"


def _adopts_the_example(bank: Bank, **more: object) -> None:
    (raw,) = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    triggers.adopt_rule(bank.session, {**raw, **more}, feedback(bank), bank.clock.now)
    bank.session.commit()


def test_a_detractors_answer_fires_a_rule_whose_call_task_opens(bank: Bank) -> None:
    asks(bank)
    _adopts_the_example(bank, holdout=0)
    speaks_with(bank)
    assert invites(bank) == 1
    answered = answers(bank, 3, "陈伟 said 13800138000")
    assert answered.group is SurveyGroup.DETRACTOR
    bank.ticks()
    (firing,) = [one for one in bank.firings() if one.rule_key == "detractor-answered"]
    assert (firing.fate, firing.facts["group"]) == (FiringFate.TASK, "detractor")
    (task,) = [one for one in bank.tasks() if one.firing_id == firing.id]
    assert (task.journey, task.step, task.state, task.script_id) == (
        "feedback",
        "answered",
        TaskState.PENDING,
        "put_right",
    )
    assert task.not_before_at >= bank.clock.now, (
        "the gate's pause after a conversation holds for this call too"
    )
    event = bank.session.exec(select(JourneyEvent).where(JourneyEvent.name == "survey_answered")).one()
    assert event.properties["score"] == 3 and "陈伟" not in str(event.properties)


@pytest.mark.parametrize(("score", "group"), [(10, "promoter"), (8, "passive")])
def test_others_start_no_call_and_their_group_is_known_to_every_rule(
    bank: Bank, score: int, group: str
) -> None:
    asks(bank)
    _adopts_the_example(bank, holdout=0)
    speaks_with(bank)
    invites(bank)
    answers(bank, score)
    bank.ticks()
    assert "detractor-answered" not in {one.rule_key for one in bank.firings()}
    assert bank.customer(user_in_arm(RULE, held_out=False)).survey_group == group


def test_a_rule_of_another_journey_may_ask_for_the_group(bank: Bank) -> None:
    raw = {
        "rule": "quiet-detractor",
        "journey": "loan",
        "step": "face_scan",
        "preset": "gone_quiet",
        "after": "2m",
        "holdout": 0,
        "conditions": {"field": "customer.survey_group", "op": "=", "value": "detractor"},
    }
    triggers.adopt_rule(bank.session, raw, journeys_loaded(bank.session)["loan"], bank.clock.now)
    for row in bank.session.exec(select(TriggerRule)).all():
        row.state = "live" if row.rule_key == "quiet-detractor" else "paused"
    for user, group in (("glad", "promoter"), ("cross", "detractor"), ("silent", None)):
        bank.knows(user).survey_group = group
        bank.sends(user, "face_scan")
    bank.clock.go_on(minutes=4)
    bank.ticks()
    assert [one.customer_id for one in bank.firings()] == [bank.customer("cross").id]


def test_nobody_is_asked_where_nothing_is_set_and_nobody_about_a_call_from_before(bank: Bank) -> None:
    speaks_with(bank)
    assert invites(bank) == 0
    asks(bank)
    assert invites(bank) == 0 and surveys(bank) == []


def test_a_rule_may_ask_where_its_campaign_does_not_and_keep_still_where_it_does(bank: Bank) -> None:
    asks(bank)
    asks(bank, rule=RULE, is_on=False)
    attempt_id = speaks_with(bank)
    assert invites(bank) == 0
    asks(bank, rule=RULE, is_on=None)
    assert invites(bank) == 1, "it does as its campaign again"
    (survey,) = surveys(bank)
    assert (survey.attempt_id, survey.rule_key, survey.language) == (attempt_id, RULE, "zh")
    acts = [one.act for one in bank.session.exec(select(AuditEntry)) if one.act.startswith("survey")]
    assert acts == ["survey.set"] * 3


@pytest.mark.parametrize("disposition", ["do_not_call", "wrong_person", "no_answer"])
def test_who_opts_out_is_somebody_else_or_was_not_reached_is_not_asked(bank: Bank, disposition: str) -> None:
    asks(bank)
    speaks_with(bank, disposition, causes=())
    assert invites(bank) == 0
    withheld = [one.withheld for one in surveys(bank)]
    assert withheld == (["objection"] if disposition == "do_not_call" else [])
    told = bank.session.exec(select(WebhookDelivery)).all()
    assert [one.kind for one in told if one.kind == "survey.invited"] == []


def test_who_objected_to_marketing_anywhere_is_not_asked_and_that_is_kept_once(bank: Bank) -> None:
    asks(bank)
    speaks_with(bank)
    bank.bars(bank.tasks()[-1].customer_id, SuppressionKind.OBJECTION)
    assert (invites(bank), invites(bank)) == (0, 0)
    (survey,) = surveys(bank)
    assert survey.withheld == "objection"
    with pytest.raises(listening.LinkUnknown):
        answers(bank, 9)


def test_a_customer_is_asked_once_a_month(bank: Bank) -> None:
    asks(bank)
    speaks_with(bank)
    assert (invites(bank), invites(bank)) == (1, 0)
    bank.clock.go_on(days=10)
    calls_again(bank)
    assert invites(bank) == 0
    bank.clock.go_on(days=30)
    calls_again(bank)
    assert invites(bank) == 1


def test_one_survey_takes_one_answer_and_an_old_one_none(bank: Bank) -> None:
    asks(bank)
    speaks_with(bank)
    invites(bank)
    with pytest.raises(BadInput):
        answers(bank, 11)
    assert surveys(bank)[-1].answered_at is None
    answers(bank, 9, "good")
    with pytest.raises(listening.AlreadyAnswered):
        answers(bank, 0)
    (survey,) = surveys(bank)
    assert (survey.score, survey.answer) == (9, "good")
    counts = total_counts(survey_counts(bank.session, bank.clock.now - timedelta(days=1), bank.clock.now))
    assert (counts.invited, counts.answered, counts.response_rate, counts.groups.promoters) == (1, 1, 1.0, 1)


def test_a_link_ends_after_a_week(bank: Bank) -> None:
    asks(bank)
    speaks_with(bank)
    invites(bank)
    bank.clock.go_on(days=7)
    with pytest.raises(listening.LinkUnknown, match="too old"):
        listening.survey_asked(bank.session, KEY, token_of(surveys(bank)[0]), bank.clock.now)


def test_what_is_not_ours_is_no_campaign_and_no_rule(bank: Bank) -> None:
    for journey, rule, is_on in (("mortgage", "", True), ("loan", "no-such", True), ("loan", "", None)):
        with pytest.raises(BadInput):
            asks(bank, journey, rule, is_on=is_on)


def test_the_webhook_tells_ids_and_no_link_is_kept(bank: Bank) -> None:
    new = NewEndpoint("https://crm.bank.example/hooks", ("survey.invited",))
    endpoint = partner_acts.add_endpoint(
        bank.session, new, "secret", partner_acts.COMMAND_LINE, bank.clock.now, allows_loopback=False
    )
    asks(bank)
    speaks_with(bank)
    invites(bank)
    (survey,) = surveys(bank)
    (delivery,) = bank.session.exec(select(WebhookDelivery))
    data = delivery.payload["data"]
    assert data["survey_id"] == str(survey.id) and "link" not in data
    assert token_of(survey) not in str(delivery.payload)
    one = partner_acts.next_delivery(
        bank.session, endpoint.id, bank.clock.now, lambda survey_id: f"https://x.example/s/{survey_id}"
    )
    assert one is not None and f"https://x.example/s/{survey.id}".encode() in one.body
    assert "陈伟" not in one.body.decode() and b"+86" not in one.body

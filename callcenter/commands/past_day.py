"""One day of the demo's past: what its customers, telephones and agents do, by the verbs of the pipeline."""

import heapq
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter import listening, outbox, pipeline, talk
from callcenter.commands.past_words import digits_of, event_of, wrap_up_of
from callcenter.demo.past import Stopped
from callcenter.demo.people import MACHINE
from callcenter.demo.truth import CONVINCING_TALK_S
from callcenter.domain.enums import AnsweredBy, AttemptState, CallResult, Presence, TaskState
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import CarrierEvent, Placed
from callcenter.intake.rules import read_batch
from callcenter.models import CallTask, EventSource, SurveyInvite, User
from callcenter.moves import House
from callcenter.sample.people import DEMO_AGENTS
from callcenter.voice.rules import make_token

CAMPAIGN = "loan"
SOURCE = "demo-app"
DECIDED_AFTER = timedelta(seconds=60)
"""From the last arrival: by then the rule's wait is over for everybody."""
FALLS_SILENT_AFTER = timedelta(hours=25)
"""Then a visit that nobody came back to is closed, and no clock of it runs on."""
READS = timedelta(seconds=8)
ANSWERS_AFTER = timedelta(hours=1)
RESULTS = {"busy": CallResult.BUSY, "failed": CallResult.FAILED, "no-answer": CallResult.NO_ANSWER}
"""How a telephone ends that nobody and nothing answers."""

Happens = Callable[[datetime], None]


class Day:
    """One day's customers, what is still to happen in order of time, and from when each agent is free."""

    def __init__(self, session: Session, house: House, survey_key: bytes, stopped: Sequence[Stopped]) -> None:
        self._session, self._house, self._survey_key = session, house, survey_key
        self._source = session.exec(select(EventSource).where(EventSource.name == SOURCE)).one()
        self._people = {derived_id("customer", one.person.user_id): one for one in stopped}
        self._moments: list[tuple[datetime, int, Happens]] = []
        self._ties, self._sent = count(), count()
        self._called: set[UUID] = set()
        self._back: dict[UUID, datetime] = {}
        self._subjects: set[UUID] = set()
        self._free_at: dict[UUID, datetime] = {}
        self._ended = stopped[0].at

    def live(self) -> None:
        """Let everything of the day happen, and leave nothing to be done."""
        arrived_at = max(one.at + timedelta(seconds=one.lasts_s) for one in self._people.values())
        self._agents_come(arrived_at)
        self._all_come(arrived_at)
        for who, one in self._people.items():
            if one.returns_after_s is not None:
                stopped_at = one.at + timedelta(seconds=one.lasts_s)
                returns_at = stopped_at + timedelta(seconds=one.returns_after_s)
                self._at(max(returns_at, arrived_at), self._comes_back(who))
        self._at(arrived_at + DECIDED_AFTER, self._look)
        while self._moments:
            at, _, happens = heapq.heappop(self._moments)
            happens(at)
            self._ended = max(self._ended, at)
        self._agents_go()
        self._falls_silent(self._ended + FALLS_SILENT_AFTER)
        self._are_asked(self._ended)
        outbox.mark_all_done(self._session, self._subjects, self._ended)

    def _at(self, at: datetime, happens: Happens) -> None:
        heapq.heappush(self._moments, (at, next(self._ties), happens))

    # -- the customers

    def _all_come(self, now: datetime) -> None:
        self._send(
            [
                event_of(one.person, deed, one.at + timedelta(seconds=deed.after_s), next(self._sent))
                for one in self._people.values()
                for deed in one.deeds
            ],
            now,
        )

    def _comes_back(self, who: UUID) -> Happens:
        def happens(now: datetime) -> None:
            if who not in self._back:
                self._back[who] = now
                one = self._people[who]
                deeds = one.goes_on()
                ended_at = now + timedelta(seconds=deeds[-1].after_s)
                at = ((deed, now + timedelta(seconds=deed.after_s)) for deed in deeds)
                self._send(
                    [event_of(one.person, deed, when, next(self._sent)) for deed, when in at], ended_at
                )

        return happens

    def _send(self, raw: list[dict[str, Any]], now: datetime) -> None:
        pipeline.take_events(self._session, self._source, read_batch(raw, {}, now), now)

    # -- the calls

    def _look(self, now: datetime) -> None:
        """What the ticks do: fire, decide, and have waiting call tasks called by whoever is free."""
        pipeline.fire_due_visits(self._session, now)
        pipeline.decide_firings(self._session, self._house, now)
        waiting = self._session.exec(
            select(CallTask)
            .where(CallTask.state == TaskState.PENDING, col(CallTask.not_before_at) <= now)
            .where(col(CallTask.customer_id).in_(self._people))
            .order_by(col(CallTask.created_at), col(CallTask.id))
        ).all()
        for task in waiting:
            agent_id = min(self._free_at, key=lambda one: self._free_at[one])
            if task.id not in self._called:
                self._called.add(task.id)
                self._call(task, agent_id, max(now, self._free_at[agent_id]))

    def _call(self, task: CallTask, agent_id: UUID, now: datetime) -> None:
        """One call from the offer to the wrap-up; the customer decides by its end."""
        session, house = self._session, self._house
        self._subjects.add(task.id)
        pipeline.see_console(session, agent_id, now)
        offer = pipeline.offer_call_task(session, house, task.id, now, only_agent=agent_id)
        if not isinstance(offer, pipeline.Reserved):
            return
        now += READS
        dialing = pipeline.place_call(session, house, task.id, agent_id, now)
        if not isinstance(dialing, pipeline.Dialing):
            return
        one, attempt_id = self._people[task.customer_id], dialing.attempt_id
        self._subjects.add(attempt_id)
        manner, ref = one.person.telephone, f"PAST{attempt_id.hex}"
        pipeline.begin_placing(session, attempt_id, now)
        pipeline.note_placement(session, attempt_id, Placed(ref), now)
        now += timedelta(seconds=manner.ring_s)
        talk_s = 0.0
        if manner.outcome in RESULTS:
            self._hears(attempt_id, ref, RESULTS[manner.outcome], now)
        else:
            pipeline.answer_call(session, house, attempt_id, ref, now)
            talk_s = 0.0 if manner.outcome == MACHINE else manner.talk_s
            for node, branch in digits_of(house.catalog, task, one, talk_s):
                pipeline.note_script_step(session, task.id, agent_id, now, node=node, branch=branch)
            now += timedelta(seconds=manner.talk_s)
            self._hears(attempt_id, ref, CallResult.COMPLETED, now, is_machine=manner.outcome == MACHINE)
        self._is_decided(task.customer_id, talk_s, now)
        now += timedelta(seconds=one.chance("wrap-up").uniform(8.0, 20.0))
        wrap_up = wrap_up_of(one, talk_s, is_back=task.customer_id in self._back)
        pipeline.close_call(session, house, task.id, wrap_up, agent_id, now)
        self._free_at[agent_id] = now

    def _hears(
        self, attempt_id: UUID, ref: str, result: CallResult, now: datetime, *, is_machine: bool = False
    ) -> None:
        told: dict[str, Any] = {"answered_by": AnsweredBy.MACHINE} if is_machine else {}
        event = CarrierEvent(ref, f"{ref}-ended", AttemptState.ENDED, result, occurred_at=now, **told)
        pipeline.note_call_progress(self._session, attempt_id, event, now)

    def _is_decided(self, who: UUID, talk_s: float, now: datetime) -> None:
        """Whoever was talked to long enough decides now what they will do."""
        one = self._people[who]
        if talk_s < CONVINCING_TALK_S or who in self._back:
            return
        stopped_for_s = (now - one.at).total_seconds() - one.lasts_s
        after_s = one.once_told(stopped_for_s)
        if after_s is not None:
            self._at(now + timedelta(seconds=after_s), self._comes_back(who))

    # -- the agents

    def _agents_come(self, now: datetime) -> None:
        logins = [login for login, _ in DEMO_AGENTS]
        for agent_id in self._session.exec(select(User.id).where(col(User.login).in_(logins))):
            self._subjects.add(agent_id)
            self._free_at[agent_id] = now
            pipeline.set_presence(self._session, agent_id, Presence.AVAILABLE, None, now)
            talk.begin_connecting(self._session, agent_id, now)
            talk.note_agent_leg(self._session, agent_id, f"PAST{agent_id.hex}", AttemptState.ANSWERED, now)

    def _agents_go(self) -> None:
        for agent_id, free_at in self._free_at.items():
            gone_at = max(free_at, self._ended)
            pipeline.sign_off(self._session, agent_id, gone_at)
            talk.note_agent_leg(self._session, agent_id, f"PAST{agent_id.hex}", AttemptState.ENDED, gone_at)

    # -- the end

    def _falls_silent(self, now: datetime) -> None:
        """What nobody came back to ends as the clock ends it: visits are closed, call tasks have expired."""
        pipeline.fire_due_visits(self._session, now)
        of_today = col(CallTask.customer_id).in_(self._people)
        for task in self._session.exec(select(CallTask).where(CallTask.state == TaskState.PENDING, of_today)):
            pipeline.expire_task(self._session, task, now)

    def _are_asked(self, now: datetime) -> None:
        """Those who were spoken with get the link; some answer it."""
        listening.invite_after_calls(self._session, self._house, now)
        asked = self._session.exec(
            select(SurveyInvite)
            .where(col(SurveyInvite.customer_id).in_(self._people), col(SurveyInvite.withheld).is_(None))
            .order_by(col(SurveyInvite.id))
        ).all()
        for invite in asked:
            one, who = self._people[invite.customer_id], invite.customer_id
            said = one.answers_survey(came_back=who in self._back)
            if said is not None:
                token = make_token(self._survey_key, invite.id)
                listening.take_answer(self._session, self._survey_key, token, *said, now + ANSWERS_AFTER)

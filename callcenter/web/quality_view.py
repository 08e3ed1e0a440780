"""Reviews in the viewer's words: what to review next, what is disputed, one call under review, the report."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.quality import Mark, ReviewReason, TagFacts
from callcenter.models import Review, Scorecard
from callcenter.outcomes.contradictions import contradictions_of, speaks_of_complaint
from callcenter.quality import queries
from callcenter.quality.policy import REVIEWED_WITHIN, SHORT_WRAP_UP_SECONDS
from callcenter.quality.rules import Candidate, NextReview, Question, propose, question_of, state_of
from callcenter.reporting.tags import TagSeen, customers_complaining, tags_reviewable
from callcenter.web.counts import ngettext
from callcenter.web.edge import chosen, viewer
from callcenter.web.pages import quality as page
from callcenter.web.pages.compliance import Option
from callcenter.web.pages.own import QuestionRow
from callcenter.web.pages.studio import Choice
from callcenter.web.quality_words import (
    REASONS,
    STATES,
    agent_names,
    quality_part,
    tag_names,
    tone_of,
    user_names,
    week_of,
)

REPORT_DAYS = (7, 30, 90)
SHOWN_CALLS = 20


def quality_page(
    session: Session,
    now: datetime,
    skipped: frozenset[str] = frozenset(),
    error: str | None = None,
    agent: str = "",
) -> page.QualityPage:
    """Return what to review next, disputed reviews first; `skipped` are proposals the viewer passed over.

    Of an `agent` the talks are listed that nobody has reviewed.
    """
    agents, people = agent_names(session), user_names(session)
    week, monday = week_of(now)
    loads = queries.loads_since(session, monday)
    seen = tags_reviewable(session, now - REVIEWED_WITHIN, now)
    proposal = propose(list(loads.values()), _candidates(session, seen, now, skipped), week)
    cards = queries.scorecards_in_use(session)
    open_, lately = queries.reviews_open(session), queries.reviews_lately(session)
    by_id = queries.scorecards_of(session, [*open_, *lately])
    return page.QualityPage(
        part=quality_part("reviews"),
        a_week=queries.plan_now(session),
        has_card=bool(cards),
        proposed=_proposed(session, proposal, seen, agents, skipped) if proposal else None,
        why_none=_why_none(len(seen), len(skipped)),
        open=tuple(review_row(one, by_id[one.scorecard_id], agents, people) for one in open_),
        lately=tuple(review_row(one, by_id[one.scorecard_id], agents, people) for one in lately),
        loads=tuple(
            page.LoadRow(agents[str(one.agent_id)], one.reviewed, one.quota)
            for one in sorted(loads.values(), key=lambda one: agents.get(str(one.agent_id), ""))
        ),
        agents=tuple(Option(key, name) for key, name in sorted(agents.items(), key=lambda it: it[1])),
        agent=agent if agent in agents else "",
        calls=_calls(session, [one for one in seen if str(one.facts.agent_id) == agent]),
        error=error,
    )


def _calls(session: Session, seen: Sequence[TagSeen]) -> tuple[page.CallRow, ...]:
    """The latest talks of one agent, to be chosen by hand."""
    tags = tag_names(session) if seen else {}
    latest = sorted(seen, key=lambda one: one.called_at, reverse=True)[:SHOWN_CALLS]
    return tuple(
        page.CallRow(
            f"/floor/quality/attempts/{one.facts.attempt_id}?because=chosen",
            one.called_at,
            one.facts.talk_seconds,
            tags.get(one.counts_as, one.counts_as),
        )
        for one in latest
    )


def _candidates(
    session: Session, seen: Sequence[TagSeen], now: datetime, skipped: frozenset[str]
) -> list[Candidate]:
    complaining = customers_complaining(session, now - REVIEWED_WITHIN)
    return [
        Candidate(
            one.facts.attempt_id,
            one.facts.agent_id,
            risks_of(one.facts, now, complained=one.customer_id in complaining),
        )
        for one in seen
        if str(one.facts.attempt_id) not in skipped and one.facts.agent_id != viewer().id
    ]


def risks_of(facts: TagFacts, now: datetime, *, complained: bool) -> tuple[ReviewReason, ...]:
    """Return what about a call is worth a look, the gravest first."""
    told = {
        ReviewReason.COMPLAINT: complained or speaks_of_complaint(facts.note),
        ReviewReason.CONTRADICTED: bool(contradictions_of(facts, now)),
        ReviewReason.SHORT_WRAP_UP: facts.reached and facts.wrap_up_seconds < SHORT_WRAP_UP_SECONDS,
    }
    return tuple(reason for reason, is_so in told.items() if is_so)


def _proposed(
    session: Session,
    proposal: NextReview,
    seen: Sequence[TagSeen],
    agents: Mapping[str, str],
    skipped: frozenset[str],
) -> page.Proposed:
    one = next(one for one in seen if one.facts.attempt_id == proposal.attempt_id)
    asked = urlencode({"because": proposal.because.value})
    passed = ",".join(sorted(skipped | {str(proposal.attempt_id)}))
    among = gettext(
        "%(name)s has %(n)s of %(quota)s reviews this week, the fewest; chosen from %(many)s of their calls.",
        name=agents[str(proposal.agent_id)],
        n=proposal.reviewed,
        quota=proposal.quota,
        many=proposal.out_of,
    )
    return page.Proposed(
        href=f"/floor/quality/attempts/{proposal.attempt_id}?{asked}",
        skip_href="/floor/quality?" + urlencode({"skip": passed}),
        agent=agents[str(proposal.agent_id)],
        called_at=one.called_at,
        talk_seconds=one.facts.talk_seconds,
        tag=tag_names(session).get(one.counts_as, one.counts_as),
        why=str(REASONS[proposal.because]),
        among=among,
    )


def _why_none(calls: int, skipped: int) -> str:
    if skipped:
        return gettext("You have passed over every call that could be proposed.")
    if not calls:
        return gettext("No talk of the last two weeks waits for a review.")
    return gettext("Every agent with a talk to review has reached the number of this week.")


def review_row(
    one: Review, card: Scorecard, agents: Mapping[str, str], people: Mapping[str, str]
) -> page.ReviewRow:
    """Return a review as a row of a list."""
    state = state_of(one.acknowledged_at, one.disputed_at, one.settled_at)
    return page.ReviewRow(
        href=f"/floor/quality/attempts/{one.attempt_id}",
        agent=agents.get(str(one.agent_id), gettext("Somebody")),
        score=one.score,
        tone=tone_of(one.score, card.pass_mark),
        state=state.value,
        state_label=str(STATES[state]),
        because=str(REASONS[ReviewReason(one.because)]),
        reviewer=people.get(str(one.reviewer_id), gettext("Somebody")),
        at=one.at,
        dispute=one.dispute,
        has_failed=bool(one.failed),
    )


def question_rows(
    card: Scorecard, marks: Mapping[str, str], remarks: Mapping[str, str]
) -> tuple[QuestionRow, ...]:
    """Return a scorecard's questions with what is marked of them."""
    return tuple(
        QuestionRow(
            id=one.id,
            section=chosen(one.section),
            text=chosen(one.text, one.id),
            weight=one.weight,
            is_critical=one.is_critical,
            mark=marks.get(one.id, ""),
            remark=remarks.get(one.id, ""),
        )
        for one in map(question_of, card.questions)
    )


# -- the report --------------------------------------------------------------------------------------------


def report_page(session: Session, days: int, now: datetime) -> page.QualityReportPage:
    """Return scores by agent and by question, of the reviews of the last days."""
    reviews = queries.reviews_counting(session, now - timedelta(days=days), now)
    cards, agents = queries.scorecards_of(session, reviews), agent_names(session)
    spans = tuple(
        Choice(ngettext("%(num)s day", "%(num)s days", n), f"/floor/quality/report?days={n}", n == days)
        for n in REPORT_DAYS
    )
    return page.QualityReportPage(
        part=quality_part("report"),
        spans=spans,
        query=urlencode({"days": days}),
        agents=tuple(_agent_scores(reviews, cards, agents)),
        questions=tuple(_question_scores(reviews, cards)),
    )


def _agent_scores(
    reviews: Sequence[Review], cards: Mapping[UUID, Scorecard], agents: Mapping[str, str]
) -> list[page.AgentScore]:
    of_agent: dict[str, list[Review]] = {}
    for one in reviews:
        of_agent.setdefault(agents.get(str(one.agent_id), gettext("Somebody")), []).append(one)
    return [
        page.AgentScore(
            agent=name,
            reviews=len(rows),
            average=sum(one.score for one in rows) / len(rows),
            passed=sum(one.score >= cards[one.scorecard_id].pass_mark for one in rows),
            failed=sum(bool(one.failed) for one in rows),
        )
        for name, rows in sorted(of_agent.items())
    ]


def _question_scores(reviews: Sequence[Review], cards: Mapping[UUID, Scorecard]) -> list[page.QuestionScore]:
    """Scores by question; a question that is asked by several versions in the same words is one."""
    counted: dict[tuple[str, str], tuple[Question, dict[str, int]]] = {}
    for review in reviews:
        for one in map(question_of, cards[review.scorecard_id].questions):
            key = (cards[review.scorecard_id].key, chosen(one.text, one.id))
            _, marks = counted.setdefault(key, (one, dict.fromkeys(Mark, 0)))
            marks[review.marks.get(one.id, Mark.NOT_ASKED)] += 1
    return [
        page.QuestionScore(
            section=chosen(one.section),
            text=text,
            is_critical=one.is_critical,
            met=marks[Mark.MET],
            partly=marks[Mark.PARTLY],
            not_met=marks[Mark.NOT_MET],
        )
        for (_, text), (one, marks) in counted.items()
    ]

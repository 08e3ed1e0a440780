"""Tags under check, in the viewer's words: what speaks against which, how often tags stand, what was found."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext
from sqlmodel import Session

from callcenter.outcomes.contradictions import contradictions_of
from callcenter.outcomes.queries import disposition_kinds
from callcenter.reporting.tags import TagSeen, checks_since, tag_counts, tags_suspect
from callcenter.web.counts import ngettext
from callcenter.web.edge import chosen
from callcenter.web.formats import label
from callcenter.web.pages import quality as page
from callcenter.web.pages.compliance import Option
from callcenter.web.pages.studio import Choice
from callcenter.web.quality_words import EVIDENCE, agent_names, quality_part, tag_names

DAYS = (1, 7, 30)
SHOWN = 100


def tags_page(
    session: Session, days: int, now: datetime, refused: tuple[str, str, str] | None = None
) -> page.TagsPage:
    """Return the tags of the last days; `refused` is (attempt, reason as typed, what is wrong) of a check."""
    since = now - timedelta(days=days)
    agents, tags = agent_names(session), tag_names(session)
    found = [(one, contradictions_of(one.facts, now)) for one in tags_suspect(session, since, now)]
    suspect = [(one, against) for one, against in found if against]
    spans = tuple(
        Choice(ngettext("%(num)s day", "%(num)s days", n), f"/floor/quality/tags?days={n}", n == days)
        for n in DAYS
    )
    return page.TagsPage(
        part=quality_part("tags"),
        spans=spans,
        days=days,
        choices=tuple(Option(one.code, chosen(one.label, one.code)) for one in disposition_kinds(session)),
        rows=tuple(_row(one, against, agents, tags, refused) for one, against in suspect[:SHOWN]),
        more=max(0, len(suspect) - SHOWN),
        rates=_rates(session, since, now, agents, Counter(one.facts.agent_id for one, _ in suspect)),
        done=tuple(_done(row, agents, tags) for row in checks_since(session, since)),
    )


def _row(
    one: TagSeen, against: Any, agents: dict[str, str], tags: dict[str, str], refused: Any
) -> page.SuspectTag:
    attempt = str(one.facts.attempt_id)
    is_refused = refused is not None and refused[0] == attempt
    return page.SuspectTag(
        attempt_id=attempt,
        review_href=f"/floor/quality/attempts/{attempt}?because=contradicted",
        agent=agents.get(str(one.facts.agent_id), gettext("Somebody")),
        called_at=one.called_at,
        tag=tags.get(one.counts_as, one.counts_as),
        code=one.counts_as,
        talk_seconds=one.facts.talk_seconds,
        result=label(one.result),
        evidence=tuple(str(EVIDENCE[it]) for it in against),
        note=one.facts.note,
        reason=refused[1] if is_refused else "",
        error=refused[2] if is_refused else None,
    )


def _rates(
    session: Session, since: datetime, now: datetime, agents: dict[str, str], suspect: Counter[Any]
) -> tuple[page.TagRate, ...]:
    rows = [
        page.TagRate(
            agents.get(str(key), gettext("Somebody")), one.tags, suspect[key], one.checked, one.upheld
        )
        for key, one in tag_counts(session, since, now).items()
    ]
    return tuple(sorted(rows, key=lambda row: row.agent))


def _done(row: Any, agents: dict[str, str], tags: dict[str, str]) -> page.DoneCheck:
    return page.DoneCheck(
        agent=agents.get(str(row.agent_id), gettext("Somebody")),
        said=tags.get(row.said_code, row.said_code),
        found=tags.get(row.found_code, row.found_code),
        reason=row.reason,
        by=row.by,
        at=row.checked_at,
        is_upheld=row.said_code == row.found_code,
    )

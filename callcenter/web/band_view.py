"""How far the evidence for another wait is, on the page of the rule that tries some."""

from sqlmodel import Session

from callcenter.domain.journey import JourneyDefinition
from callcenter.learning.bands import waits_of
from callcenter.learning.proposing import looks_of_band
from callcenter.models import TriggerRule
from callcenter.triggers.band_queries import count_visits
from callcenter.triggers.policy import read_rule
from callcenter.web.pages.bands import TriedBand
from callcenter.web.proposal_words import seconds_words


def band_of(
    session: Session, row: TriggerRule, journey: JourneyDefinition, global_holdout: float
) -> TriedBand | None:
    """Return the band of a version that fits its journey; None where it tries no wait."""
    spec = read_rule(row.definition, journey)
    if spec.band is None:
        return None
    settled, running = count_visits(session, row.id)
    waits, current = waits_of(spec.band), spec.after.total_seconds()
    looks = looks_of_band(settled, current, waits, max(spec.holdout, spec.share_of_all(global_holdout)))
    return TriedBand(
        waits=tuple((seconds_words(wait), probability) for wait, probability in waits),
        settled=settled,
        running=running,
        look=looks.look,
        looks=looks.looks,
        next_at=looks.next_at,
    )

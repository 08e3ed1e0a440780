"""What is known of a customer besides what the bank tells: tags of agents, segments, what they answered.

Each stands in a column of its own, so that no identify call of the bank writes over it, nor it over the bank's.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter.db import cursor_of, id_array_of
from callcenter.domain.enums import SurveyGroup
from callcenter.errors import BadInput
from callcenter.models import Customer

MOST_AGENT_TAGS = 20
_CHANGE_MEMBERS = """
WITH held AS (SELECT id FROM customer WHERE id = ANY(%(ids)s::uuid[]) AND erased_at IS NULL
               ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
UPDATE customer c
   SET segments = CASE WHEN %(is_member)s THEN (c.segments - %(key)s::text) || to_jsonb(%(key)s::text)
                       ELSE c.segments - %(key)s::text END
  FROM held WHERE c.id = held.id
"""


def set_agent_tags(customer: Customer, codes: Sequence[str], now: datetime) -> None:
    """Give a locked customer these tags of agents. Raises BadInput when they are too many."""
    if len(codes) > MOST_AGENT_TAGS:
        raise BadInput("A customer has enough tags. Take one away first.")
    customer.agent_tags, customer.updated_at = list(codes), now


def set_survey_group(customer: Customer, group: SurveyGroup, now: datetime) -> None:
    """Note on a locked customer where their latest answer puts them."""
    customer.survey_group, customer.updated_at = group.value, now


def change_members(session: Session, key: str, ids: Collection[UUID], *, is_member: bool) -> int:
    """Put customers into a segment or take them out; return how many. Those another process holds are left as they
    are: the next count finds them again."""
    facts = {"ids": id_array_of(ids), "key": key, "is_member": is_member}
    return cursor_of(session).execute(_CHANGE_MEMBERS, facts).rowcount

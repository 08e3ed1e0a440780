"""Forget what reviewers and agents wrote of a person's calls; marks and scores stay."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session

from callcenter.db import cursor_of, id_array_of

_REVIEWS = """
UPDATE review SET comment = '', remarks = '{}', dispute = ''
 WHERE (comment <> '' OR remarks <> '{}' OR dispute <> '')
   AND attempt_id IN (SELECT id FROM contact_attempt WHERE customer_id = ANY(%(ids)s::uuid[]))
"""


def forget_reviews(session: Session, ids: Collection[UUID]) -> dict[str, int]:
    """Empty what was written about these people's calls; return how many reviews it was."""
    return {"reviews": cursor_of(session).execute(_REVIEWS, {"ids": id_array_of(ids)}).rowcount}

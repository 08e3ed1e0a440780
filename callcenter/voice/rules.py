"""The survey: the link, the groups, the score with its interval. Pure."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from uuid import UUID

from callcenter.domain.enums import SurveyGroup

EVENT = "survey_answered"
"""The event by which an answer comes in, as any event of the customer."""
SCORES = range(11)
_MARK = 16
_ID = 16
_Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""
_ADDED, _ADDED_EACH = 3.0, 0.75


def link_key(secret: str) -> bytes:
    """Return the key of survey links that a house's secret makes; it opens nothing else."""
    return hmac.new(secret.encode(), b"callcenter survey links", sha256).digest()


def make_token(key: bytes, survey_id: UUID) -> str:
    """Return what stands in a survey's link: its id and a mark of 128 bits that only the key can make."""
    return urlsafe_b64encode(survey_id.bytes + _mark(key, survey_id.bytes)).rstrip(b"=").decode()


def read_token(key: bytes, token: str) -> UUID | None:
    """Return the survey a link is about; None for anything this key has not made."""
    if len(token) != 43 or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(f"{token}=")
    except (NotBase64, ValueError):
        return None
    said, mark = raw[:_ID], raw[_ID:]
    is_ours = len(raw) == _ID + _MARK and hmac.compare_digest(mark, _mark(key, said))
    survey_id = UUID(bytes=said) if is_ours else None
    # One survey has one link: the last letter of base64 leaves two bits that would mean nothing.
    return survey_id if survey_id and make_token(key, survey_id) == token else None


def _mark(key: bytes, said: bytes) -> bytes:
    return hmac.new(key, said, sha256).digest()[:_MARK]


def group_of(score: int) -> SurveyGroup:
    """Say to which group an answer from 0 to 10 belongs: 9 and 10 promote, 0 to 6 detract.

    Reichheld, "The One Number You Need to Grow", Harvard Business Review, December 2003.
    """
    if score >= 9:
        return SurveyGroup.PROMOTER
    return SurveyGroup.DETRACTOR if score <= 6 else SurveyGroup.PASSIVE


@dataclass(frozen=True, slots=True)
class NetPromoter:
    """How many answered in each group, and what that says; scores are in points from -100 to 100."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @property
    def answers(self) -> int:
        """How many answered."""
        return self.promoters + self.passives + self.detractors

    @property
    def score(self) -> float | None:
        """The share of promoters less that of detractors; None without an answer."""
        return 100 * (self.promoters - self.detractors) / self.answers if self.answers else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the score: adjusted Wald, which keeps its level in small samples too.

        Three answers are added, three quarters of one to promoters and to detractors; the variance is that of
        a difference of two shares of one trinomial. Rocks, "Interval Estimation for the Net Promoter Score",
        The American Statistician 70 (2016), 365-372.
        """
        if not self.answers:
            return None
        n = self.answers + _ADDED
        promote, detract = (self.promoters + _ADDED_EACH) / n, (self.detractors + _ADDED_EACH) / n
        net = promote - detract
        margin = _Z * sqrt((promote + detract - net * net) / n)
        return 100 * max(-1.0, net - margin), 100 * min(1.0, net + margin)


def net_promoter(scores: Iterable[int]) -> NetPromoter:
    """Count answers by their groups."""
    groups = [group_of(one) for one in scores]
    return NetPromoter(*(groups.count(one) for one in SurveyGroup))

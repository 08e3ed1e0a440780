"""Draw who is held out and which script variant is used; the draws are logged with the firing and the task."""

from datetime import datetime
from uuid import UUID

from callcenter.learning.rules import HoldoutDraw, VariantDraw, draw_holdout, draw_variant

SALT = "callcenter-1"
"""Changing it draws every customer anew; it must not change while an effect is being measured."""
VARIANTS = ("A", "B")


def draw_arm(
    rule_key: str, customer_id: UUID, share: float, at: datetime, global_share: float = 0.0
) -> HoldoutDraw:
    """Draw whether a customer is held out of a rule, or of all: sticky for the calendar quarter."""
    return draw_holdout(SALT, rule_key, str(customer_id), at, share, global_share)


def draw_script(rule_key: str, customer_id: UUID) -> VariantDraw:
    """Draw the script variant a customer hears for a rule: sticky."""
    return draw_variant(SALT, rule_key, str(customer_id), VARIANTS)

"""What is really so about the synthetic customers; the product can only estimate it from events.

No number of this file is ever sent anywhere. `loss` is the published share of visits to a step that never
get past it when nobody calls, those who come back by themselves not counted as lost. `after_conversation` is
the published share of stopped customers who get past the step once they were talked to. The rest (the
unaided base below it, the recovery curve, how much each error matters) is chosen, and only has to keep
those two true.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Step(StrEnum):
    """The steps of the loan journey, in their order."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    ID_PHOTO_FRONT = "id_photo_front"
    ID_PHOTO_BACK = "id_photo_back"
    FACE_SCAN = "face_scan"
    PROFILE = "profile"
    BIND_CARD = "bind_card"
    CREDIT_GRANTED = "credit_granted"
    WITHDRAW = "withdraw"


STEPS: tuple[Step, ...] = tuple(Step)


def next_step(step: Step) -> Step | None:
    """Return the step after this one; None after the last."""
    position = STEPS.index(step) + 1
    return STEPS[position] if position < len(STEPS) else None


@dataclass(frozen=True)
class Trouble:
    """One error people meet on a step: its share among those who stop, and what it does to their chances.

    `unaided` and `aided` are relative weights, 1.0 being like everyone else: an expired document cannot be
    talked away, a glare on the photo can.
    """

    share: float
    unaided: float = 1.0
    aided: float = 1.0


@dataclass(frozen=True)
class StepTruth:
    """One step. Shares are of 1; times in seconds; `recovery_*` shape a lognormal time to come back."""

    loss: float
    unaided: float
    after_conversation: float
    recovery_median_s: float
    dwell_median_s: float
    troubles: Mapping[str, Trouble]
    recovery_sigma: float = 1.0

    @property
    def stops(self) -> float:
        """The share of visits that go quiet, so that `loss` is left when the unaided are back."""
        return self.loss / (1.0 - self.unaided)

    @cached_property
    def _scale(self) -> tuple[float, float]:
        """What makes the weights of the troubles average to 1, for the unaided and for the aided."""
        kinds = self.troubles.values()
        total = sum(trouble.share for trouble in kinds)
        return (
            total / sum(trouble.share * trouble.unaided for trouble in kinds),
            total / sum(trouble.share * trouble.aided for trouble in kinds),
        )

    def unaided_with(self, trouble: str) -> float:
        """The chance that a customer who stopped with this trouble comes back by themselves."""
        return self.unaided * self.troubles[trouble].unaided * self._scale[0]

    def after_conversation_with(self, trouble: str) -> float:
        """The chance that a customer who stopped with this trouble converts once talked to."""
        return self.after_conversation * self.troubles[trouble].aided * self._scale[1]

    def recovered_by(self, stopped_for_s: float) -> float:
        """Of those who come back by themselves, the share already back (lognormal distribution function)."""
        if stopped_for_s <= 0:
            return 0.0
        z = math.log(stopped_for_s / self.recovery_median_s) / self.recovery_sigma
        return 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))


NO_TROUBLE = "none"
_PHOTO = {
    NO_TROUBLE: Trouble(0.34, 0.9, 0.9),
    "glare": Trouble(0.28, 1.3, 1.4),
    "blurred": Trouble(0.20, 1.3, 1.3),
    "expired": Trouble(0.08, 0.1, 0.2),
    "upload_failed": Trouble(0.10, 1.2, 0.7),
}
_FACE = {
    NO_TROUBLE: Trouble(0.32),
    "too_dark": Trouble(0.38, 1.2, 1.3),
    "face_covered": Trouble(0.14, 1.0, 1.1),
    "upload_failed": Trouble(0.08, 1.2, 0.7),
    "locked": Trouble(0.08, 0.5, 1.1),
}
_CARD = {
    NO_TROUBLE: Trouble(0.44, 0.9, 1.0),
    "card_refused": Trouble(0.28, 0.7, 0.8),
    "phone_mismatch": Trouble(0.10, 0.6, 1.2),
    "sms_code_late": Trouble(0.18, 1.8, 1.5),
}
_SMS = {NO_TROUBLE: Trouble(0.70, 0.9, 0.9), "sms_code_late": Trouble(0.30, 1.3, 1.4)}
_SIGN_IN = {
    NO_TROUBLE: Trouble(0.47, 0.9, 0.8),
    "password_wrong": Trouble(0.30, 1.1, 1.3),
    "locked": Trouble(0.09, 0.6, 1.3),
    "sms_code_late": Trouble(0.14, 1.2, 1.2),
}
_PROFILE = {
    NO_TROUBLE: Trouble(0.68),
    "system_error": Trouble(0.20, 1.2, 1.1),
    "app_crashed": Trouble(0.12, 1.3, 1.1),
}
_WITHDRAW = {
    NO_TROUBLE: Trouble(0.64, 1.0, 0.9),
    "withdraw_refused": Trouble(0.22, 0.7, 1.1),
    "payout_failed": Trouble(0.14, 1.3, 1.4),
}
_PLAIN = {NO_TROUBLE: Trouble(1.0)}

# loss, unaided, after a conversation, median seconds until back, median seconds on the page, troubles
STEP_TRUTHS: Mapping[Step, StepTruth] = {
    Step.REGISTER: StepTruth(0.96, 0.02, 0.24, 300, 22, _SMS),
    Step.SIGN_IN: StepTruth(0.86, 0.06, 0.24, 360, 18, _SIGN_IN),
    Step.ID_PHOTO_FRONT: StepTruth(0.62, 0.10, 0.27, 420, 35, _PHOTO),
    Step.ID_PHOTO_BACK: StepTruth(0.90, 0.05, 0.27, 420, 28, _PHOTO),
    Step.FACE_SCAN: StepTruth(0.20, 0.12, 0.27, 300, 20, _FACE),
    Step.PROFILE: StepTruth(0.15, 0.14, 0.27, 900, 80, _PROFILE),
    Step.BIND_CARD: StepTruth(0.88, 0.06, 0.27, 600, 50, _CARD),
    Step.CREDIT_GRANTED: StepTruth(0.30, 0.08, 0.18, 1500, 40, _PLAIN),
    Step.WITHDRAW: StepTruth(0.40, 0.04, 0.10, 1200, 45, _WITHDRAW),
}

# Where a session begins. Chained from registration alone nobody would reach the later steps.
START_MIX: Mapping[Step, float] = {
    Step.REGISTER: 0.28,
    Step.SIGN_IN: 0.16,
    Step.ID_PHOTO_FRONT: 0.15,
    Step.ID_PHOTO_BACK: 0.07,
    Step.FACE_SCAN: 0.06,
    Step.PROFILE: 0.05,
    Step.BIND_CARD: 0.09,
    Step.CREDIT_GRANTED: 0.07,
    Step.WITHDRAW: 0.07,
}

LEAVES_WITHOUT_NUMBER = 0.25  # of those who stop at registration: gone before the number was typed
CLOSES_APPLICATION = 0.04  # of those who stop past sign-in and would not come back
DECLINES_ON_THE_PHONE = 0.06  # of those talked to and not convinced: they close the application
RETURNS_DURING_THE_CALL = 0.35  # of the convinced; the others do it some minutes later
A_RINGING_TELEPHONE_REMINDS = 0.25  # of those about to come back anyway: they do it at once
CONVINCING_TALK_S = 15.0  # nobody is convinced by less

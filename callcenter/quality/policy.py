"""How many calls are reviewed, from how far back, and the questions a bank begins with."""

from datetime import timedelta

from callcenter.quality.rules import NewScorecard, Question

A_WEEK = 3
"""Calls of each agent reviewed in a week, where nobody has set another number."""
MOST_A_WEEK = 50
REVIEWED_WITHIN = timedelta(days=14)
"""Older calls are proposed no more: nobody remembers them."""
DISPUTED_WITHIN = timedelta(days=14)
"""So long after a review its agent may dispute it."""
SHORT_WRAP_UP_SECONDS = 4
"""A wrap-up after a talk that is shorter was hardly written for this call."""

_OPENING = {"en": "Opening", "zh": "开场"}
_HELP = {"en": "Help", "zh": "协助"}
_RULES = {"en": "Rules", "zh": "合规"}
_CLOSE = {"en": "Close and record", "zh": "结束与记录"}
STARTING_CARD = NewScorecard(
    key="call-handling",
    title={"en": "Call handling", "zh": "通话质量"},
    questions=(
        Question(
            "greeting",
            _OPENING,
            {"en": "Named themselves, the bank and why they call", "zh": "说明姓名、银行和来电原因"},
            2,
        ),
        Question(
            "recording-notice",
            _OPENING,
            {"en": "Said that the call is recorded", "zh": "告知通话正在录音"},
            2,
            True,
        ),
        Question(
            "right-person",
            _RULES,
            {
                "en": "Made sure it was the customer before saying anything of their business",
                "zh": "先确认是本人，再谈业务",
            },
            3,
            True,
        ),
        Question(
            "no-secrets",
            _RULES,
            {"en": "Asked for no password, code or card number", "zh": "没有索要密码、验证码或卡号"},
            3,
            True,
        ),
        Question(
            "no-pressure",
            _RULES,
            {"en": "Promised nothing untrue and did not press", "zh": "没有虚假承诺，没有施压"},
            3,
        ),
        Question(
            "cause", _HELP, {"en": "Found out why the customer had stopped", "zh": "弄清客户中断的原因"}, 3
        ),
        Question(
            "help",
            _HELP,
            {
                "en": "Helped with what fits the cause, along the script or better",
                "zh": "针对原因给出合适的帮助，符合或优于话术",
            },
            4,
        ),
        Question(
            "listening",
            _HELP,
            {"en": "Let the customer finish, and listened", "zh": "耐心倾听，不打断客户"},
            2,
        ),
        Question(
            "next-step", _CLOSE, {"en": "Agreed on a next step that fits", "zh": "与客户约定合适的下一步"}, 2
        ),
        Question(
            "record",
            _CLOSE,
            {
                "en": "Result, cause and note say what happened on the call",
                "zh": "结果、原因和备注与通话内容一致",
            },
            3,
        ),
    ),
)

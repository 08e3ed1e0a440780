"""Callbacks in every state and follow-ups, as samples."""

from dataclasses import replace
from datetime import date, timedelta

from callcenter.web.pages import agenda as a
from tests.web.sample_frame import CHENGDU, NOW, URUMQI, Texts, at

_LIN = "5a1f0000-0000-4000-8000-000000000010"
_WU = "5a1f0000-0000-4000-8000-000000000001"
TODAY = date(NOW.year, NOW.month, NOW.day)


def callbacks(t: Texts) -> tuple[a.CallbackDue, ...]:
    """One lost, one overdue, one with an agent just now, and some to come."""
    photo, card = t("ID photo", "证件照"), t("Bind card", "绑卡")
    times = (at("17:00"), at("19:00"), at("09:00", 1))
    base = a.CallbackDue(
        at("14:30"), t("Sun Li", "孙丽"), True, photo, t("“Call me at half past two”", "“两点半打给我”"),
        "5a1f0000-0000-4000-8000-0000000000c1", "137 •••• 0110", CHENGDU, t("Chengdu", "成都"), times,
    )  # fmt: skip

    def one(n: int, **changes: object) -> a.CallbackDue:
        return replace(base, id=f"5a1f0000-0000-4000-8000-0000000000c{n}", **changes)  # type: ignore[arg-type]

    return (
        one(
            2,
            due_at=at("11:00"),
            customer=t("He Min", "何敏"),
            lost_because="advanced",
            may_change=False,
            said="",
        ),
        one(
            3,
            due_at=at("14:10"),
            customer=t("Tao Jie", "陶洁"),
            step=card,
            said=t("Has the card at home from two on", "两点后卡在身边"),
        ),
        one(4, due_at=at("14:20"), customer=t("Fang Yu", "方宇"), is_mine=False, may_change=False),
        base,
        one(
            5,
            due_at=at("15:00"),
            customer=t("Guo Tao", "郭涛"),
            is_mine=False,
            step=card,
            said=t("Had the other card at home", "另一张卡在家里"),
            time_zone=None,
            place="",
            times=(),
        ),
        one(
            6,
            due_at=at("17:30"),
            customer=t("Aynur Memet", "阿依努尔"),
            step=t("Face scan", "人脸识别"),
            said=t("Not before 15:30", "15:30 之后"),
            time_zone=URUMQI,
            place=t("Urumqi", "乌鲁木齐"),
        ),
        one(
            7,
            due_at=at("09:00", 1),
            customer=t("Zhou Kai", "周凯"),
            is_mine=False,
            step=t("Profile", "资料"),
            said=t(
                "Payslip first, then wants to hear what the rate would be over twelve months",
                "先要工资单，再问十二个月的利率",
            ),
        ),
    )


def _follow_up(t: Texts, n: int, **changes: object) -> a.FollowUpRow:
    base = a.FollowUpRow(
        f"5a1f0000-0000-4000-8000-0000000000f{n}", "another_product",
        t("Wants a debit card for her daughter; send her the form", "想给女儿办借记卡，发申请表"),
        t("Zhao Min", "赵敏"), "136 •••• 4471", a.Owner(_LIN, t("Lin Yue", "林悦")), TODAY,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def follow_ups(t: Texts) -> a.FollowUpDesk:
    """One overdue, one of today, one to come."""
    return a.FollowUpDesk(
        rows=(
            _follow_up(
                t, 1, due_on=TODAY - timedelta(days=1), kind="branch_appointment", customer=t("Hu Bo", "胡波")
            ),
            _follow_up(t, 2),
            _follow_up(t, 3, due_on=TODAY + timedelta(days=5), kind="visit", customer=t("Feng Yi", "冯怡")),
        ),
        more=4,
        kinds=("another_product", "visit", "branch_appointment", "something_else"),
        owners=(a.Owner(_LIN, t("Lin Yue", "林悦")), a.Owner(_WU, t("Wu Jing", "吴静"))),
        today=TODAY,
        suggested_on=TODAY + timedelta(days=1),
        latest_on=TODAY + timedelta(days=366),
    )


def known(t: Texts) -> a.FollowUpDesk:
    """What is open about the customer on the call."""
    desk = follow_ups(t)
    return replace(desk, rows=desk.rows[1:2], more=0)


def done(t: Texts) -> tuple[a.FollowUpRow, ...]:
    """What was closed lately."""
    return (_follow_up(t, 8, closed_at=at("11:20"), customer=t("Tian Yu", "田宇")),)

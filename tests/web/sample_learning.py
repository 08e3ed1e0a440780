# ruff: noqa: E501
"""The learning page with sample data."""

from datetime import UTC, datetime

from callcenter.web.pages import learning as s
from tests.web.sample_frame import Texts, frame

NIGHT = datetime(2026, 11, 17, 18, 0, tzinfo=UTC)


def learning(language: str, theme: str, state: str) -> s.LearningPage:
    """A night that went well, one under way, one with a failed step, and none at all."""
    t = Texts(language)
    head = frame(language, theme, "learning")
    if state == "empty":
        return s.LearningPage(head, NIGHT.replace(day=18))
    who, whom = t("Who converts", "谁会转化"), t("Whom first", "先呼叫谁")
    ranked = t("4 rules are ranked by what a call brings.", "4 条规则按每次呼叫带来的价值排序。")
    last = s.StepRow(whom, "done", NIGHT, 0.4, ranked)
    if state == "runs":
        last = s.StepRow(whom, "runs", NIGHT, 12.0)
    if state == "failed":
        last = s.StepRow(whom, "failed", NIGHT, 2.0, "OperationalError")
    found = t(
        "12,480 firings: better than each rule's own rate on later ones. It ranks.",
        "12,480 次触发：在较新的触发上优于各规则自身的转化率，参与排序。",
    )
    run = s.RunRow(
        NIGHT, t("G. Yan", "高岩"), state == "runs", (s.StepRow(who, "done", NIGHT, 41.0, found), last)
    )
    worth = (
        s.WorthRow("photo", t("ID-photo trouble", "证件照受阻"), 9912, 2436, 4.7, 1.1, 4.5, 300, 6.4, 2.11, 3.2, 30),
        s.WorthRow("withdraw", t("Loan not withdrawn", "额度未提款"), 15360, 3864, 2.9, 0.7, 2.9, 300, 7.1, 1.23, 0.9, 240),
        s.WorthRow("profile", t("Profile quiet", "资料停留"), 6786, 1713, -0.3, 1.4, 0.4, 80, 5.2, 0.06, -9, 60),
        s.WorthRow("salary", t("Salary arrival", "工资到账"), 4230, 0, None, None, 2.4, 120, 5.9, 0.49, -3.1, 60),
    )  # fmt: skip
    measures = (
        s.MeasureRow(
            t("Brier score", "Brier 分数"), t("lower is better", "越低越好"), 0.1612, 0.1571, 0.1655, 0.1688
        ),
        s.MeasureRow(
            t("Log loss", "对数损失"), t("lower is better", "越低越好"), 0.4921, 0.4815, 0.5030, 0.5166
        ),
        s.MeasureRow("AUC", t("higher is better", "越高越好"), 0.7120, 0.6950, 0.7290, 0.6230),
    )
    calibration = tuple(
        s.CalibrationRow(624, told, came, came - 0.03, came + 0.03)
        for told, came in ((0.08, 0.07), (0.16, 0.17), (0.24, 0.24), (0.33, 0.31), (0.52, 0.53))
    )
    card = s.ModelCard(
        12, NIGHT, state != "failed", run.steps[0].said, 12_480, 3_120, 7_488, 1_872, 3_120,
        NIGHT.replace(month=6), NIGHT.replace(month=10), NIGHT, 0.011, 0.038,
        (t("errors on the step", "该步骤的错误数"), t("hour of the day", "一天中的时刻")),
        (t("gender", "性别"), t("age", "年龄")), measures, calibration,
    )  # fmt: skip
    earlier = tuple(
        s.RunRow(NIGHT.replace(day=day), None, False, (s.StepRow(who, end, NIGHT, 3.0), last))
        for day, end in ((16, "done"), (15, "failed"))
    )
    return s.LearningPage(head, NIGHT.replace(day=18), run, earlier, worth, card)

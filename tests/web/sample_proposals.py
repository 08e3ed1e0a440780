# ruff: noqa: E501 - two languages side by side read best on one line
"""Proposals in the studio: one that waits, one on trial, one that was taken back, none at all."""

from math import exp

from callcenter.web.pages import proposals as p
from callcenter.web.pages.curves import RecoveryCurve
from callcenter.web.pages.studio import CurvePoint
from callcenter.web.pages.trials import Arm, Trial
from tests.web.sample_frame import TASK, Texts, at, frame


def trial(t: Texts, verdict: str = "not_known") -> Trial:
    words = {"not_known": t("Not known yet", "尚无定论"), "worse": t("Worse", "更差")}
    return Trial(
        4, at("10:00", -3), at("10:00", 11), 0.2, verdict, words[verdict],
        (Arm(t("On trial", "试行中"), 61, 412), Arm(t("Beside it", "并行现行版"), 231, 1603)), (-3.1, 0.4, 4.2), 0.7,
    )  # fmt: skip


def _rows(t: Texts, state: str) -> tuple[p.ProposalRow, ...]:
    labels = {
        "open": t("Waits for you", "待决定"),
        "canary": t("On trial", "试行中"),
        "rolled_back": t("Taken back", "已撤回"),
    }
    rule, wait = t("Face scan quiet", "人脸识别停留"), t("Another wait", "调整等待")
    gain = t("+0.84 conversions an agent-hour (+0.12 to +1.56)", "每坐席小时转化 +0.84（+0.12 至 +1.56）")
    why = t(
        "stopped by itself: fewer customers converted, as the long reason of somebody may say at length",
        "已自动停止：转化客户减少",
    )
    change = t("5 min → 2.5 min", "5 分钟 → 2.5 分钟")
    return (
        p.ProposalRow(f"/studio/proposals/{TASK}", rule, wait, change, gain, state, labels[state], at("03:10"), why if state == "rolled_back" else "", True),
        p.ProposalRow(f"/studio/proposals/{TASK[:-1]}2", t("ID photo trouble", "证件照受阻"), t("Smaller hold-out", "缩小对照"), "20 % → 10 %", t("effect of calling: +4.1 points (+1.2 to +7.0)", "外呼效果：+4.1 个百分点（+1.2 至 +7.0）"), "rolled_back", labels["rolled_back"], at("03:10", -20), t("by Ma Lin: too early in the season", "由马琳：时机未到")),
    )  # fmt: skip


def proposals(language: str, theme: str, state: str) -> p.ProposalsPage:
    t = Texts(language)
    head = frame(language, theme, "proposals")
    if state == "empty":
        return p.ProposalsPage(head, 0)
    code = {"full": "open", "failed": "open", "canary": "canary", "taken-back": "rolled_back"}[state]
    rows = _rows(t, code)
    points = tuple(
        CurvePoint(minute, 1 - exp(-minute / 25), max(0.0, 0.95 - exp(-minute / 25)), min(1.0, 1.04 - exp(-minute / 25)))
        for minute in range(61)
    )  # fmt: skip
    detail = p.ProposalDetail(
        id=TASK,
        row=rows[0],
        rule_href="/studio/rules/face",
        words=t("When a customer has been quiet on Face scan for 2.5 min and did not move on, offer a call.", "客户在“人脸识别”无操作满 2.5 分钟且未继续时，安排外呼。"),
        changes=(t("after: 5 min → 150 s", "等待：5 分钟 → 150 秒"),),
        why=t("Visits drew their wait from a band. After 2.5 min agents' time brings more conversions that would not have come without the call than after 5 min.", "停留随机抽取等待时长。等待 2.5 分钟比等待 5 分钟为坐席时间带来更多因外呼而生的转化。"),
        accepting=t("It is tried on 20 % of the customers beside the rule as it is, and stops by itself if it harms.", "先在 20 % 的客户上并行试行，若有害会自动停止。"),
        may={"open": frozenset({"accept", "decline"}), "canary": frozenset({"roll_back"})}.get(code, frozenset()),
        days=(7, 14, 28),
        why_not=t("You accepted it. A second person must adopt it.", "由您接受，须由第二人采用。") if code == "canary" else None,
        estimates=tuple(
            p.Estimate(name, (0.2, 1.4, 2.6), (-0.1, 0.32, 0.7), (0.12, 0.84, 1.56), is_the_gate=place == 0)
            for place, name in enumerate((t("Doubly robust", "双重稳健"), t("Self-normalised", "自归一化"), t("Inverse propensity", "逆概率加权")))
        ),
        waits=(
            p.WaitRow(t("150 s", "150 秒"), 812, 148, 3.2, t("better", "更好")),
            p.WaitRow(t("5 min", "5 分钟"), 1640, 263, 2.9, t("as it is", "现行")),
            p.WaitRow(t("7.5 min", "7.5 分钟"), 0, 0, 0.0, t("too few yet", "样本不足")),
        ),
        effective_sample=812,
        warning=t("More for each hour, yet −0.4 points a visit.", "每小时产出更高，但每次停留 −0.4 个百分点。") if state == "failed" else None,
        load=p.Load(14, 1204, 1498, 6, 7) if state != "failed" else None,
        load_problem=t("There are archived events, and it is not known where.", "存档位置未知。") if state == "failed" else None,
        trial=trial(t, "worse" if code == "rolled_back" else "not_known") if code != "open" else None,
        trial_href="/studio/rules/face/versions/4" if code != "open" else None,
        curve=RecoveryCurve(points, 2.5, 1840),
    )  # fmt: skip
    return p.ProposalsPage(head, int(code == "open"), rows, detail)

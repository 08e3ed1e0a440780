# ruff: noqa: E501 - two languages side by side read best on one line
"""One rule in the studio: its page, a review, a draft, a new rule, and why one fired or not."""

from dataclasses import replace

from callcenter.web.pages import rules as r
from callcenter.web.pages.back_tests import BackTestPart, FigureRow, HourBar, LoadBar, LoadPart
from callcenter.web.pages.curves import RecoveryCurve
from callcenter.web.pages.studio import CurvePoint
from tests.web.sample_frame import Texts, at, frame
from tests.web.sample_proposals import trial

YAML = "rule: face-scan-quiet\njourney: loan\nstep: face_scan\npreset: gone_quiet\nafter: 5m\n"


def _words(t: Texts) -> str:
    return t(
        "When a customer has been quiet on Face scan for 5 min and did not move on, offer a call; 20 % are held out.",
        "客户在“人脸识别”无操作满 5 分钟且未继续时，安排外呼；20 % 留作对照。",
    )


def _versions(t: Texts) -> tuple[r.VersionRow, ...]:
    change = (
        t("after: 3 min → 5 min", "等待：3 分钟 → 5 分钟"),
        t("hold-out: 20 % → 10 %", "对照比例：20 % → 10 %"),
    )
    note = t("Many come back by themselves until then.", "多数客户届时已自行返回。")
    return (
        r.VersionRow(3, "in_review", at("14:21"), "/studio/rules/face/versions/3", t("G. Yan", "高岩"), note, change, 2),
        r.VersionRow(2, "live", at("10:00", -17), "/studio/rules/face/versions/2", t("Ma Lin", "马琳"), note, change[:1], 1, True),
        r.VersionRow(1, "retired", at("10:00", -17), "/studio/rules/face/versions/1", None, "", (), None, True),
    )  # fmt: skip


def _acts(t: Texts) -> tuple[r.ActRow, ...]:
    return (
        r.ActRow(
            at("14:21"),
            t("sent v3 for review: fewer calls in vain", "提交 v3 复核：减少无效外呼"),
            t("G. Yan", "高岩"),
        ),
        r.ActRow(
            at("10:00", -17),
            t("published v2; open visits stay with theirs", "发布 v2，进行中的停留沿用原版"),
            t("Ma Lin", "马琳"),
        ),
    )


def rule(language: str, theme: str, state: str) -> r.RulePage:
    t = Texts(language)
    versions = _versions(t)
    page = r.RulePage(
        frame(language, theme, "rules"), "face", t("Face scan quiet", "人脸识别停留"), t("Loan", "贷款"), t("Face scan", "人脸识别"),
        versions[1], _words(t), YAML, frozenset({"pause", "retire", "draft", "roll_back"}), versions, _acts(t),
        trial=trial(t), back_to=1, proposed=1,
    )  # fmt: skip
    if state == "failed":
        return replace(page, words="", acts=(), problem="step: 'face_scan' is not a step of journey 'loan'")
    return page


def version(language: str, theme: str, state: str) -> r.VersionPage:
    t = Texts(language)
    versions = _versions(t)
    page = r.VersionPage(
        frame(language, theme, "rules"), "face", t("Face scan quiet", "人脸识别停留"), t("Loan", "贷款"), versions[0], _words(t), YAML,
        frozenset({"publish", "send_back", "draft", "try"}), None, 14, _acts(t), days=(7, 14, 28),
    )  # fmt: skip
    if state == "trial":
        tried = replace(versions[0], state="canary")
        may = frozenset({"publish", "stop_trial", "draft"})
        return replace(page, shown=tried, may=may, trial=trial(t))
    if state == "empty":
        return replace(page, shown=versions[2], acts=())
    if state == "own":
        return replace(
            page,
            why_not=t(
                "You wrote or sent it. A second person must publish it.", "由您编写或提交，须由第二人发布。"
            ),
        )
    return page


def _back_test(t: Texts) -> BackTestPart:
    """Fires most in the evening, when agents are few."""
    fired = (
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        60,
        210,
        260,
        300,
        280,
        190,
        220,
        240,
        250,
        330,
        380,
        520,
        560,
        410,
        90,
        20,
    )
    duty = (0,) * 9 + (8, 10, 10, 8, 8, 10, 10, 10, 10, 8, 8, 8, 8, 0, 0)
    short = {19: 2, 20: 3, 21: 1}
    bars = tuple(
        LoadBar(hour, 0.5 * on, fired[hour] / 120, on, short.get(hour, 0), t(f"At {hour}:00", f"{hour}:00"))
        for hour, on in enumerate(duty)
    )
    rows = tuple((f"{hour:02d}:00", "14", f"{on}.0", "41 %") for hour, on in enumerate(duty) if on)
    note = t("Agents on duty: at work or ready for it.", "在岗坐席：正在工作或可接任务。")
    load = LoadPart(
        t("Fits your agents, except 19:00–22:00", "坐席足够，19:00–22:00 除外"), note, bars, rows, 3
    )
    return BackTestPart(
        "/", "done", 28, headline=t("It would have fired 138 times a day.", "每天会触发 138 次。"), latest="5m",
        asked_at=at("14:20"), rows=(FigureRow(t("Calls a day", "每天呼叫"), ("113", ""), is_key=True),),
        hours=tuple(HourBar(hour, count, count / 560) for hour, count in enumerate(fired)), load=load,
    )  # fmt: skip


def draft(language: str, theme: str, state: str) -> r.DraftPage:
    t = Texts(language)
    head = frame(language, theme, "rules")
    limit, over = t("the customer's credit limit", "客户额度"), t("is at least", "不低于")
    row = r.ConditionRow("customer.credit_limit", ">=", "50000", (r.Option(">=", over),), "50000")
    values = {
        "title.en": "Face scan quiet",
        "title.zh": "人脸识别停留",
        "step": "face_scan",
        "preset": "gone_quiet",
        "after": "5m",
        "event": "",
        "times": "",
        "within": "",
        "priority": "60",
        "promise": "1m",
        "max_age": "4h",
        "window": "1d",
        "holdout": "",
        "goal": "",
        "moment": "",
        "variant": "",
        "band.share": "40",
        "band.waits": "4m, 6m",
        "purpose": "service",
        "skill": "loans",
        "level": "3",
        "team": "",
    }
    form = r.DraftForm(
        values, {"errors": (), "unless": ("photo_accepted",)},
        r.ConditionRows("conditions", "all", (row, row), (r.Option("customer.credit_limit", limit, t("The customer", "客户")),)),
        r.ConditionRows("where", "all", (), ()), "", "", "seen", {},
    )  # fmt: skip
    events = (r.Option("photo_accepted", t("Photo accepted", "证件照通过"), t("ID photo", "证件照")),)
    presets = tuple(
        r.Option(code, label)
        for code, label in (
            ("gone_quiet", t("Gone quiet", "无操作")),
            ("dwell", t("Dwell", "停留过久")),
            ("absence", t("A then not B", "有 A 无 B")),
            ("trouble", t("Trouble", "受阻")),
            ("moment", t("Moment", "时机")),
        )
    )
    steps = (r.Option("face_scan", t("Face scan", "人脸识别")),)
    page = r.DraftPage(
        head, "face", t("Face scan quiet", "人脸识别停留"), 4, t("Loan", "贷款"), at("14:21"), form, presets, steps, steps, events,
        _words(t), YAML, _versions(t)[0].changes, 2,
        curve=RecoveryCurve(tuple(CurvePoint(minute, minute / 80, minute / 90, minute / 70) for minute in range(61)), 5.0, 1840),
        back_test=_back_test(t),
    )  # fmt: skip
    if state == "failed":
        wrong = {
            "after": t(
                "'soon' is not a duration; write 90s, 5m, 24h or 7d.", "请填写时长，如 90s、5m 或 24h。"
            ),
            "conditions.1": t("Give a value.", "此条件不完整。"),
        }
        return replace(
            page,
            words=None,
            yaml=None,
            changes=(),
            form=replace(form, values={**values, "after": "soon"}, problems=wrong),
        )
    if state == "409":
        return replace(page, newer=_versions(t)[0].changes, now_seen="now", overtaken_by=5)
    if state == "trouble":
        groups = replace(form.conditions, is_flat=False, rows=())
        return replace(
            page,
            form=replace(
                form,
                values={**values, "preset": "trouble", "times": "2"},
                conditions=groups,
                more="conditions: {not: {}}",
            ),
        )
    return page


def new(language: str, theme: str, state: str) -> r.NewRulePage:
    t = Texts(language)
    places = (r.Option("loan/id_photo", t("ID photo", "证件照"), t("Loan", "贷款")),)
    problems = {
        "key": t(
            "Use lower-case letters, digits and -, up to 64 of them.", "请用小写字母、数字和 -，最多 64 个。"
        )
    }
    return r.NewRulePage(
        frame(language, theme, "rules"),
        places,
        {"key": "Face"} if state == "failed" else {},
        problems if state == "failed" else {},
    )


def why(language: str, theme: str, state: str) -> r.WhyPage:
    t = Texts(language)
    head = frame(language, theme, "rules")
    options = (r.Option("face", t("Face scan quiet", "人脸识别停留")),)
    if state == "empty":
        return r.WhyPage(head, "", "", options)
    if state == "failed":
        return r.WhyPage(
            head,
            "face",
            "c-1",
            options,
            problem="No customer 'c-1' is known. Give the bank's own id, as the app reports it.",
        )
    lines = (
        r.WhyLine("for", t("On Face scan since 14:20:00 (visit 1).", "自 14:20:00 起在“人脸识别”（第 1 次停留）。")),
        r.WhyLine("against", t("Any of these: does not hold", "以下任一：不满足")),
        r.WhyLine("against", t("“the customer's credit limit is at least 50,000” does not hold: it is 20,000.", "“客户额度不低于 50,000”不满足：实际为 20,000。"), 1),
        r.WhyLine("waits", t("Still 1 min 20 s to go, until 14:25:00.", "还差 1 分钟 20 秒，至 14:25:00。")),
        r.WhyLine("note", t("Rule other goes first where both run out together (priority 80).", "同时到期时，规则 other 优先（优先级 80）。")),
    )  # fmt: skip
    visits = (
        r.WhyVisit(t("Visit 2, 14:20", "第 2 次停留，14:20"), "?visit=2", True),
        r.WhyVisit(t("Visit 1, 10:00", "第 1 次停留，10:00"), "?visit=1", False),
    )
    return r.WhyPage(
        head,
        "face",
        "c-1042",
        options,
        t(
            "It has not fired yet. Still 1 min 20 s to go, until 14:25:00.",
            "尚未触发。还差 1 分钟 20 秒，至 14:25:00。",
        ),
        _words(t),
        lines,
        visits,
    )

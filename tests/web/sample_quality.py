# ruff: noqa: E501 - two languages side by side read best on one line
"""Quality, targets and lists of the floor, each full, empty and as it is when something was refused."""

from dataclasses import replace
from datetime import timedelta

from callcenter.domain.quality import Measure
from callcenter.quality.policy import STARTING_CARD
from callcenter.targets.rules import POINTS_AT_FIRST, Figures, points_of, progress_of, together
from callcenter.web.pages import lists as li
from callcenter.web.pages import own as o
from callcenter.web.pages import quality as q
from callcenter.web.pages import targets as ta
from callcenter.web.pages.compliance import Option
from callcenter.web.pages.console import StepTaken, TimelineEvent
from callcenter.web.pages.studio import Choice
from tests.web.sample_frame import NOW, TASK, Texts, at, frame

_NAMES = ("Chen Hao", "Gu Xin", "Li Na", "Lin Yue", "Ma Chao", "Qin Fen", "Sun Mei", "Tang Rui")


def _part(language: str, theme: str, here: str) -> q.Part:
    t = Texts(language)
    parts = (
        ("reviews", t("Reviews", "质检")),
        ("tags", t("Tags under check", "结果核查")),
        ("report", t("Report", "报表")),
        ("scorecards", t("Scorecards", "评分表")),
    )
    return q.Part(
        frame(language, theme, "quality"),
        (),
        tuple(Choice(text, f"/floor/quality/{code}", code == here) for code, text in parts),
    )


def questions(t: Texts, mark: str = "", remark: str = "") -> tuple[o.QuestionRow, ...]:
    """The usual questions, all marked alike."""
    key = "zh" if t.is_chinese else "en"
    return tuple(
        o.QuestionRow(
            one.id,
            one.section[key],
            one.text[key],
            one.weight,
            one.is_critical,
            mark,
            remark if place == 2 else "",
        )
        for place, one in enumerate(STARTING_CARD.questions)
    )


def _row(t: Texts, place: int, *, state: str = "new", dispute: str = "") -> q.ReviewRow:
    labels = {
        "new": t("Not answered", "未答复"),
        "acknowledged": t("Acknowledged", "已确认"),
        "disputed": t("Disputed", "有异议"),
    }
    score = (92, 0, 71, 100)[place % 4]
    return q.ReviewRow(
        f"/floor/quality/attempts/{TASK}", _NAMES[place], score, "good" if score >= 80 else "bad", state, labels[state],
        t("Drawn by chance", "随机抽取") if place % 2 else t("Telephone or events speak against its tag", "电话记录或事件与结果不符"),
        t("Ma Lin", "马琳"), NOW - timedelta(hours=3 * place + 1), dispute, score == 0,
    )  # fmt: skip


def quality(language: str, theme: str, state: str) -> q.QualityPage:
    t = Texts(language)
    page = q.QualityPage(_part(language, theme, "reviews"), 3, state != "empty")
    if state == "empty":
        return page
    why = t("Telephone or events speak against its tag", "电话记录或事件与结果不符")
    among = t(
        "Tang Rui has 1 of 3 reviews this week, the fewest; chosen from 4 of their calls.",
        "唐蕊本周已质检 1 / 3，进度最少；从其 4 通电话中选出。",
    )
    full = replace(
        page,
        proposed=q.Proposed(
            f"/floor/quality/attempts/{TASK}",
            "/floor/quality?skip=1",
            t("Tang Rui", "唐蕊"),
            at("13:41"),
            3,
            t("Will finish now", "稍后自行完成"),
            why,
            among,
        ),
        open=(
            _row(
                t,
                2,
                state="disputed",
                dispute=t("The customer hung up first; I could not close.", "客户先挂断，我没法结束语。"),
            ),
        ),
        lately=tuple(_row(t, place, state="acknowledged" if place > 3 else "new") for place in range(8)),
        agents=tuple(Option(str(place), name) for place, name in enumerate(_NAMES)),
        agent="3",
        calls=tuple(
            q.CallRow(
                f"/floor/quality/attempts/{TASK}",
                NOW - timedelta(hours=n),
                60 + 31 * n,
                t("Will finish now", "稍后自行完成"),
            )
            for n in range(3)
        ),
        loads=tuple(q.LoadRow(name, place % 4, 3) for place, name in enumerate(_NAMES)),
    )
    if state == "none":
        return replace(
            full,
            proposed=None,
            why_none=t("No talk of the last two weeks waits for a review.", "最近两周没有待质检的通话。"),
            open=(),
        )
    if state == "failed":
        return replace(
            full,
            error=t(
                "Reviews a week for each agent are a whole number from 1 to 50.",
                "每名坐席每周质检数应为 1 到 50 的整数。",
            ),
        )
    return full


def call_review(language: str, theme: str, state: str) -> q.CallReviewPage:
    t = Texts(language)
    facts = q.CallFacts(
        t("Lin Yue", "林悦"), t("Zhao Min", "赵敏"), "138 •••• 0417", t("ID photo", "证件照"), t("ID-photo trouble", "证件照受阻"),
        at("13:41"), 9, 174, t("Answered", "已接通"), t("Will finish now", "稍后自行完成"), "", (t("Technical", "技术"), t("Usability", "易用性")),
        t("Photo refused for glare; she will take it again by the window this evening and knows that the limit stays.", "证件照因反光被拒；客户今晚在窗边重拍，已知额度保留。"), 21,
        (t("The note says no more calls, but the tag does not.", "备注要求不再来电，但结果没有体现。"),) if state != "empty" else (),
        f"/floor/quality/attempts/{TASK}/recording", 172, "", t("ID photo, glare, version 3", "证件照反光，第 3 版"),
        (StepTaken(t("Opening and recording notice", "开场和录音告知"), None, at("13:41:20")), StepTaken(t("Right person?", "是本人吗？"), t("Yes, speaking", "是本人"), at("13:41:31")), StepTaken(t("Reason and question", "来意与提问"), t("Glare", "反光"), at("13:41:58"))),
        (TimelineEvent("a", at("13:44:22"), "call", t("Call ended", "通话结束")), TimelineEvent("b", at("13:41:12"), "call", t("Answered", "已接听")), TimelineEvent("c", at("13:40:01"), "rejected", t("Photo rejected: glare", "证件照被拒：反光"))),
    )  # fmt: skip
    done = q.ReviewShown(
        _row(t, 3, state="disputed", dispute=t("I did name the bank.", "我说了银行名称。")),
        t("Calm and clear.", "平稳清楚。"),
        questions(t, "met", t("at once", "立即")),
        t("Call handling, version 2", "通话质量，第 2 版"),
    )
    page = q.CallReviewPage(
        _part(language, theme, "reviews"), TASK, facts, (), questions(t), TASK, t("Call handling", "通话质量"),
        (Choice(t("Call handling", "通话质量"), "/x", True), Choice(t("Collections", "催收"), "/y")),
    )  # fmt: skip
    if state == "empty":
        bare = replace(
            facts,
            note="",
            causes=(),
            recording=None,
            no_recording=t(
                "Nobody talked on this call, so there is no recording.", "本次没有通话，因此没有录音。"
            ),
            path=(),
            events=(),
            rang_seconds=None,
            talk_seconds=0,
        )
        return replace(page, facts=bare, cards=())
    if state == "done":
        return replace(
            page,
            reviews=(done,),
            why_not=t(
                "You wrote the review that is disputed. Another supervisor settles it.",
                "有异议的质检由您完成，须由另一位主管裁定。",
            ),
        )
    if state == "failed":
        return replace(
            page,
            questions=questions(t, "partly_met", t("half", "一半")),
            comment=t("Typed before", "已输入"),
            error=t("Mark at least one question.", "请至少评一个问题。"),
        )
    return page


def tags(language: str, theme: str, state: str) -> q.TagsPage:
    t = Texts(language)
    spans = tuple(
        Choice(t(f"{n} days", f"{n} 天"), f"/floor/quality/tags?days={n}", n == 7) for n in (1, 7, 30)
    )
    choices = (
        Option("no_answer", t("No answer or busy", "无人接听或占线")),
        Option("do_not_call", t("Do not call", "请勿来电")),
        Option("done_on_call", t("Done on the call", "通话中完成")),
    )
    page = q.TagsPage(_part(language, theme, "tags"), spans, 7, choices)
    if state == "empty":
        return page
    evidence = (
        t("The note says no more calls, but the tag does not.", "备注要求不再来电，但结果没有体现。"),
        t("Tagged as nobody reached, but somebody was on the line.", "结果为未接通，但有人通话。"),
    )
    rows = tuple(
        q.SuspectTag(f"{n}{TASK[1:]}", f"/floor/quality/attempts/{TASK}", _NAMES[n], NOW - timedelta(hours=n + 1), choices[0].label, "no_answer", 45 + n, t("Answered", "已接通"), evidence[: 1 + n % 2], t("Wants no more calls, was quite cross about the third one this week.", "不要再打，本周第三次来电，客户很不满。") if n % 2 == 0 else "")
        for n in range(4)
    )  # fmt: skip
    rates = tuple(
        q.TagRate(name, 120 + 7 * n, n % 3, n % 5, max(0, n % 5 - 1)) for n, name in enumerate(_NAMES)
    )
    done = (
        q.DoneCheck(
            t("Sun Mei", "孙梅"),
            choices[0].label,
            choices[1].label,
            t("Heard on the recording", "录音中可听到"),
            t("Ma Lin", "马琳"),
            at("11:20"),
            False,
        ),
        q.DoneCheck(
            t("Li Na", "李娜"),
            choices[2].label,
            choices[2].label,
            t("The customer paid at the branch", "客户在网点办理"),
            t("Ma Lin", "马琳"),
            at("10:02"),
            True,
        ),
    )
    if state == "failed":
        rows = (
            replace(
                rows[0],
                reason="",
                error=t(
                    "Say why the tag stands or is corrected; it is kept.",
                    "请说明维持或更正的原因；原因会保留。",
                ),
            ),
            *rows[1:],
        )
    return replace(page, rows=rows, more=12, rates=rates, done=done)


def report(language: str, theme: str, state: str) -> q.QualityReportPage:
    t = Texts(language)
    spans = tuple(
        Choice(t(f"{n} days", f"{n} 天"), f"/floor/quality/report?days={n}", n == 30) for n in (7, 30, 90)
    )
    page = q.QualityReportPage(_part(language, theme, "report"), spans, "days=30")
    if state == "empty":
        return page
    agents = tuple(q.AgentScore(name, 12, 97.0 - 4 * n, 12 - n, n % 3) for n, name in enumerate(_NAMES))
    asked = tuple(
        q.QuestionScore(one.section, one.text, one.is_critical, 80 - 3 * n, 4, n)
        for n, one in enumerate(questions(t))
    )
    return replace(page, agents=agents, questions=asked)


def scorecards(language: str, theme: str, state: str) -> q.ScorecardsPage:
    t = Texts(language)
    page = q.ScorecardsPage(_part(language, theme, "scorecards"))
    if state == "empty":
        return page
    rows = tuple(
        q.CardRow(
            f"{n}{TASK[1:]}",
            t("Call handling", "通话质量"),
            n,
            9 + n,
            3,
            80,
            at("09:00", -40 + 9 * n),
            t("Ma Lin", "马琳"),
            n == 3,
            "/floor/quality/scorecards/new?like=1",
        )
        for n in (3, 2, 1)
    )
    return replace(page, rows=rows)


def scorecard(language: str, theme: str, state: str) -> q.CardFormPage:
    t = Texts(language)
    rows = tuple(
        {
            "id": one.id,
            "section_en": one.section["en"],
            "section_zh": one.section["zh"],
            "text_en": one.text["en"],
            "text_zh": one.text["zh"],
            "weight": str(one.weight),
            "critical": "1" if one.is_critical else "",
        }
        for one in STARTING_CARD.questions
    )
    spare = (
        {
            "id": "",
            "section_en": "",
            "section_zh": "",
            "text_en": "",
            "text_zh": "",
            "weight": "",
            "critical": "",
        },
    ) * 3
    page = q.CardFormPage(
        _part(language, theme, "scorecards"), "call-handling", "Call handling", "通话质量", "80", rows + spare
    )
    return (
        replace(
            page,
            error=t(
                "Give the scorecard a name and from 1 to 40 questions, weights and pass mark from 1 to 100.",
                "请填写评分表名称和 1 到 40 个问题，权重与合格分为 1 到 100。",
            ),
        )
        if state == "failed"
        else page
    )


def targets(language: str, theme: str, state: str) -> ta.TargetsPage:
    t = Texts(language)
    had = [
        Figures(60 - 3 * n, 24 - n, 9 - n, 180 - 9 * n, 2, 3, 4) if n != 5 else Figures() for n in range(8)
    ]
    wanted = {Measure.RIGHT_PARTY: 22, Measure.VERIFIED: 6, Measure.QUALITY: 85}
    team = ta.TargetRow(
        t("Loan desk A together", "贷款一组合计"),
        progress_of(together(had), {Measure.VERIFIED: 60}),
        sum(points_of(one, POINTS_AT_FIRST) for one in had),
        True,
    )
    rows = tuple(
        ta.TargetRow(name, progress_of(one, wanted), points_of(one, POINTS_AT_FIRST))
        for name, one in zip(_NAMES, had, strict=True)
    )
    heads = (
        t("Attempts", "呼叫次数"),
        t("Right-party contacts", "本人接通"),
        t("Verified conversions", "核实转化"),
        t("Quality score", "质检得分"),
        t("Kept callbacks", "按时回拨"),
    )
    measures = tuple(Option(one.value, text) for one, text in zip(Measure, heads, strict=True))
    periods = tuple(
        Option(code, t(en, zh))
        for code, en, zh in (("day", "Day", "日"), ("week", "Week", "周"), ("month", "Month", "月"))
    )
    page = ta.TargetsPage(
        frame(language, theme, "reports"), (), (Choice(t("Figures", "数据"), "/floor/reports"), Choice(t("Targets and points", "目标与积分"), "/floor/targets", True)),
        tuple(Choice(one.label, f"/floor/targets?period={one.value}", one.value == "week") for one in periods), "week", t("16 Nov to 22 Nov", "11月16日 至 11月22日"), "/floor/targets?on=1", "/floor/targets?on=2", "period=week",
        heads, (team, *rows), (Option("member:Loan desk A", t("Each agent of Loan desk A", "贷款一组每名坐席")), Option("agent:1", "Lin Yue")), measures, periods,
        {one.value: POINTS_AT_FIRST[one] for one in Measure}, t("Points = right-party contacts × 2 + verified conversions × 20 + average quality score ÷ 100 × 50 + kept callbacks × 3", "积分 = 本人接通 × 2 + 核实转化 × 20 + 平均质检得分 ÷ 100 × 50 + 按时回拨 × 3"), {},
    )  # fmt: skip
    if state == "empty":
        return replace(page, rows=())
    if state == "failed":
        return replace(
            page,
            values={"value": "101", "measure": "quality", "subject": "agent:1"},
            error=t("A score to reach is a whole number from 1 to 100.", "目标得分应为 1 到 100 的整数。"),
        )
    return page


def lists(language: str, theme: str, state: str) -> li.ListsPage:
    t = Texts(language)
    page = li.ListsPage(
        frame(language, theme, "queue"), (), (Option("loan", t("Loan application", "贷款申请")),),
        (Option("loan/profile", t("Loan application: Profile", "贷款申请：资料")), Option("loan/id_photo", t("Loan application: ID photo", "贷款申请：证件照"))),
        (Option("service", t("Service", "服务")), Option("marketing", t("Marketing", "营销"))), {},
    )  # fmt: skip
    if state == "empty":
        return page
    rows = tuple(
        li.ListRow(
            f"/floor/lists/{TASK}", name, t("Ma Lin", "马琳"), at("11:02", -n), state_of, 312 - 100 * n, 340
        )
        for n, (name, state_of) in enumerate(
            (
                ("spring-offer-branches-north-and-east-final-version-2.xlsx", "working"),
                ("renewals.csv", "done"),
                ("branch.csv", "undone"),
            )
        )
    )
    if state == "failed":
        return replace(
            page,
            rows=rows,
            values={"reason": t("Spring offer", "春季活动")},
            error=t(
                "The first row names no column external_id, the bank's own id of a customer. Add it.",
                "首行没有 external_id 列（银行的客户编号）。请补上。",
            ),
        )
    return replace(page, rows=rows)


def one_list(language: str, theme: str, state: str) -> li.ListPage:
    t = Texts(language)
    outcomes = (
        li.Outcome(286, t("open a call task now", "立即新建呼叫任务")), li.Outcome(20, t("open a call task that waits for an allowed time", "新建任务，等待允许时段"), t("Calling hours: 18; Minimum gap: 2", "呼叫时段：18；最短间隔：2")),
        li.Outcome(14, t("stay with the call task that is open for them", "并入已有的未完成任务")), li.Outcome(11, t("open nothing: the gate bars the call", "不建任务：合规闸门禁止呼叫"), t("Do not call: 9; No consent: 2", "请勿来电：9；无同意：2")), li.Outcome(9, t("are refused: see below", "被拒绝，见下")),
    )  # fmt: skip
    refused = tuple(
        li.RefusedShown(
            4 + 7 * n,
            t(
                "phone is no valid number in international form (+86…).",
                "phone 不是有效的国际格式号码（+86…）。",
            )
            if n % 2
            else t("The gate bars the call: Do not call", "合规闸门禁止呼叫：请勿来电"),
        )
        for n in range(9)
    )
    page = li.ListPage(
        frame(language, theme, "queue"), (), TASK, "spring-offer-branches-north-and-east-final-version-2.xlsx", "draft", t("Loan application, about: Profile", "贷款申请，步骤：资料"), t("Ma Lin", "马琳"), at("14:20"), True,
        340, 9, 306, 0, 0, outcomes, refused, 34,
    )  # fmt: skip
    if state == "empty":
        return replace(page, outcomes=(), refused=(), refused_total=0, would_open=0, total=0)
    if state in ("reading", "looking"):
        return replace(page, state=state, looked=120, refused=refused[:2], refused_total=2)
    if state == "failed":
        problem = t(
            "The text is not UTF-8. Save it as CSV in UTF-8.", "文本不是 UTF-8，请另存为 UTF-8 的 CSV。"
        )
        return replace(page, state=state, problem=problem, outcomes=(), refused=(), refused_total=0, total=0)
    if state == "same":
        return replace(page, state="same", same_href=f"/floor/lists/{TASK}")
    if state == "working":
        return replace(page, state="working", done=120, opened=101)
    if state == "done":
        return replace(page, state="done", done=340, opened=306, undo_until=NOW + timedelta(minutes=14))
    return page


def own_work(language: str) -> tuple[tuple[o.OwnReview, ...], tuple[o.OwnTarget, ...], o.OwnPoints]:
    """Reviews, targets and points as an agent sees them."""
    t = Texts(language)
    new = o.OwnReview(
        TASK,
        92,
        "good",
        "new",
        t("Not answered", "未答复"),
        t("Ma Lin", "马琳"),
        at("11:20"),
        at("09:41"),
        t("Zhao Min", "赵敏"),
        t("Calm and clear; name the bank at once.", "平稳清楚；请先说银行名称。"),
        "",
        True,
        True,
        questions(t, "met", t("late", "较晚")),
    )
    old = replace(
        new,
        id="1" + TASK[1:],
        score=0,
        tone="bad",
        state="disputed",
        state_label=t("Disputed", "有异议"),
        dispute=t("I did say it is recorded.", "我已告知录音。"),
        may_acknowledge=False,
        may_dispute=False,
    )
    wanted = (
        o.OwnTarget(t("Verified conversions", "核实转化"), t("Day", "日"), 3, 4, 0.75, 11, 2.0, False),
        o.OwnTarget(t("Quality score", "质检得分"), t("Week", "周"), 92, 85, 1.08, 2, 88.0, True),
    )
    return (
        (new, old),
        wanted,
        o.OwnPoints(
            214,
            190.0,
            t(
                "Points = right-party contacts × 2 + verified conversions × 20 + average quality score ÷ 100 × 50 + kept callbacks × 3",
                "积分 = 本人接通 × 2 + 核实转化 × 20 + 平均质检得分 ÷ 100 × 50 + 按时回拨 × 3",
            ),
        ),
    )

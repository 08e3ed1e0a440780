# ruff: noqa: E501 - two languages side by side read best on one line
"""One agent whose state is set, and what a search on the floor has found."""

from dataclasses import replace
from datetime import timedelta

from callcenter.web.pages import finding as d
from callcenter.web.pages import forcing as p
from tests.web.sample_frame import NOW, Texts, at, frame


def agent(language: str, theme: str, state: str) -> p.AgentPage:
    t = Texts(language)
    reasons = (
        ("break", "Break", "小休"),
        ("training", "Training", "培训"),
        ("meeting", "Meeting", "会议"),
        ("admin", "Admin work", "事务"),
    )
    away = t(
        "At once: the offer before them goes back to the queue and to somebody else.",
        "立即生效：眼前的派单退回队列，改派他人。",
    )
    page = p.AgentPage(
        frame(language, theme, "floor"), (), "a1", t("Tang Rui", "唐蕊"), t("Loan desk A", "贷款一组"),
        "available", None, at("13:02"), "previewing", NOW - timedelta(seconds=12),
        (
            p.StateGroup("not_ready", t("Not ready", "未就绪"), away, tuple(p.StateChoice(f"not_ready:{code}", t(english, chinese)) for code, english, chinese in reasons)),
            p.StateGroup("available", t("Available", "可接任务"), t("They keep the offer before them, and are offered others after it.", "保留眼前的派单，之后继续接任务。"), (p.StateChoice("available", t("Available", "可接任务"), is_now=True),)),
            p.StateGroup("signed_off", t("Signed off", "已签退"), away, (p.StateChoice("signed_off", t("Signed off", "已签退")),)),
        ),
        step=t("ID photo", "证件照"),
    )  # fmt: skip
    if state == "empty":
        barred = p.StateChoice("available", t("Available", "可接任务"), barred=t("Their console is not open; nobody would see an offer.", "其工作台未打开，派单无人看到。"))  # fmt: skip
        groups = (page.groups[0], replace(page.groups[1], choices=(barred,)), page.groups[2])
        return replace(
            page, groups=groups, presence="not_ready", reason="break", work_state="idle", step=None,
            set_by=t("Ma Lin", "马琳"), note=t("Fire drill until 14:30", "消防演习至 14:30"),
        )  # fmt: skip
    if state == "failed":
        return replace(
            page, chosen="not_ready:meeting", typed=t("Room 3", "三号会议室"),
            error=t("What they are doing has changed meanwhile. Look at what would happen now, and press again.", "坐席的情况已有变化。请看现在会发生什么，再按一次。"),
        )  # fmt: skip
    return page


def found(language: str, theme: str, state: str) -> d.FoundPage:
    t = Texts(language)
    page = d.FoundPage(frame(language, theme, "floor"), (), t("li", "李"))
    if state == "empty":
        return page
    photo = t("ID-photo trouble", "证件照受阻")
    return replace(
        page,
        tasks=(
            d.TaskFound("q1", t("Li Na", "李娜"), "138 •••• 8000", photo, t("No free agent", "无空闲坐席"), NOW - timedelta(minutes=3), "priority_up"),
            d.TaskFound("q2", t("Li Xiaoming of the very long family name", "李小明"), "139 •••• 0139", photo, t("Tang Rui, previewing", "唐蕊，预览中"), NOW, "bring_back"),
            d.TaskFound("q3", t("Li Wei", "李伟"), "137 •••• 1111", photo, t("Xie Bo, talking", "谢博，通话中"), NOW),
        ),
        agents=(d.AgentFound("a7", t("Lin Yue", "林悦"), t("Loan desk A", "贷款一组"), t("Talking", "通话中"), NOW - timedelta(seconds=42)),),
        customers=(d.CustomerFound(t("Li Ping", "李萍"), "136 •••• 2222", t("No call task is open. Last called 10:12: No answer.", "没有未完成的呼叫任务。最近一次呼叫 10:12：无人接听。")),),
        is_cut=state == "full",
    )  # fmt: skip

# ruff: noqa: E501 - two languages side by side read best on one line
"""The console with more and longer content than anybody designs for: names, steps, notes, objections, results."""

from dataclasses import replace
from datetime import timedelta

from callcenter.web.pages import console as c
from callcenter.web.pages.handing_over import OfferWhy
from tests.web.sample_frame import NOW, Texts, at

NAME_EN = "Maria Theresia Wilhelmine von Hohenberg-Sonderburg-Augustenburg"
NAME_ZH = "阿卜杜热合曼·买买提艾力·努尔麦麦提·吐尔逊·阿不都克里木·伊敏江·热依汗古丽·艾力扎提"
NOTE_EN = (
    "Wants to hear what the rate would be over twelve months before she sends the payslip, has the card at home "
    "from two on, and asks that nobody calls her at work again because her manager was listening the last time."
)
NOTE_ZH = "先要工资单，再问十二个月的利率；卡在家里，两点以后才方便；请不要再往单位打电话，上次主管在旁边听着，客户觉得很为难，希望改到晚上七点以后再联系。"


def name(t: Texts) -> str:
    """More than sixty letters, or more than forty characters."""
    return t(NAME_EN, NAME_ZH)


def note(t: Texts) -> str:
    """What a talkative colleague wrote."""
    return t(NOTE_EN, NOTE_ZH)


def steps(t: Texts) -> tuple[c.StepMark, ...]:
    """Ten steps whose titles are sentences."""
    titles = [
        t(f"{what} and wait for confirmation by text message", f"{zh}并等待短信确认通过后继续")
        for what, zh in (
            ("Register", "注册"), ("Sign in", "登录"), ("Identity photo", "证件照片上传"), ("Face scan", "人脸识别"),
            ("Household income", "家庭收入信息"), ("Employer", "工作单位信息"), ("Bind card", "绑定银行卡"),
            ("Credit decision", "授信审批结果"), ("Contract", "签署借款合同"), ("Withdraw", "首次提款"),
        )
    ]  # fmt: skip
    states = ["passed"] * 6 + ["stopped"] + ["ahead"] * 3
    stopped = t("stopped 14:20:53", "14:20:53 停在此步")
    return tuple(
        c.StepMark(title, state, stopped if state == "stopped" else None)
        for title, state in zip(titles, states, strict=True)
    )


def why(t: Texts, base: c.WhyThisCall) -> c.WhyThisCall:
    """A headline of two lines, a rule with a long name."""
    return replace(
        base,
        headline=t(
            "Photo rejected for glare, then blurred, then too dark, then because the card had expired",
            "证件照先因反光被拒，又因模糊被拒，再因光线太暗被拒，最后因证件已过有效期被系统拒绝",
        ),
        step=steps(t)[6].label,
        rule=t("Second rejection of an identity photo on an older telephone", "旧款手机上第二次证件照被拒后安排外呼"),
        steps=steps(t),
        live=None,
    )  # fmt: skip


def customer(t: Texts, base: c.Customer) -> c.Customer:
    """Many products and tags, a long earlier note, forty events."""
    tag = t("Regular customer of branch number", "支行老客户第")
    events = tuple(
        replace(one, id=f"{n}-{one.id}", text=f"{one.text}: {note(t)}" if one.id == "8" else one.text)
        for n in range(5)
        for one in base.timeline
    )
    return replace(
        base,
        name=name(t),
        short_name=name(t),
        place=t("Bayingolin Mongol Autonomous Prefecture", "巴音郭楞蒙古自治州"),
        products=tuple(t(f"Savings account with bonus rate {n}", f"加息活期储蓄账户{n}") for n in range(6)),
        tags=tuple(f"{tag} {n}" for n in range(8)),
        earlier=(c.EarlierAttempt(at("10:00", -2), note(t)), *base.earlier),
        timeline=events,
    )


def script(t: Texts, base: c.Script) -> c.Script:
    """Answers that wrap, nine of them, and thirty objections."""
    label = t("The lamp above the table is too bright", "桌子上方的灯光太亮，证件反光")
    hint = t(
        "Ask them to tilt the card away from the lamp and to take the photo again",
        "请客户把证件稍微倾斜避开灯光，然后重新拍摄一次",
    )
    nodes = tuple(
        replace(
            node,
            say=node.say * 3,
            branches=tuple(
                c.Branch(n, f"b{n}", f"{label} {n}", hint, "tilt", hint if n == 4 else None)
                for n in range(1, 10)
            ),
        )
        if node.key == base.current
        else node
        for node in base.nodes
    )
    objections = tuple(
        replace(
            base.objections[n % 4],
            key=f"o{n}",
            label=f"{base.objections[n % 4].label} ({n}) {hint[:40]}",
            is_common=n < 8,
        )
        for n in range(30)
    )
    return replace(base, label=why_label(t), nodes=nodes, objections=objections, required_notices=base.required_notices * 2)  # fmt: skip


def why_label(t: Texts) -> str:
    """A script's long name."""
    return t(
        "Identity photo rejected for the second time on an older telephone",
        "旧款手机上证件照第二次被拒的话术",
    )


def wrap_up(t: Texts, base: c.WrapUp) -> c.WrapUp:
    """Twelve results with long names, a note that fills its box, six times."""
    more = t("Will come to the branch with the original", "将携带原件前往支行办理")
    long = tuple(c.DispositionChoice(f"more_{n}", f"{more} {n}", False) for n in range(4))
    causes = tuple(replace(one, label=f"{one.label} {t('of the app', '相关问题')}") for one in base.causes)
    times = (*base.callback_times, *(at("09:30", day) for day in (2, 3, 4)))
    return replace(
        base, dispositions=(*base.dispositions, *long), causes=causes, note=f"{note(t)} {note(t)}",
        callback_times=times, causes_from=t("glare, blurred and expired document", "反光、模糊和证件过期"),
    )  # fmt: skip


def call(t: Texts, base: c.CurrentCall) -> c.CurrentCall:
    """A call task in which everything is long."""
    assert base.script
    handed = OfferWhy(
        t("Handed over by a colleague.", "由同事移交。"),
        t("Priority 60.", "优先级 60。"),
        from_whom=t(f"From {NAME_EN}: Another skill is needed.", f"来自 {NAME_ZH}：需要其他技能。"),
        note=note(t),
    )
    return replace(
        base,
        customer=customer(t, base.customer),
        why=why(t, base.why),
        script=script(t, base.script),
        wrap_up=wrap_up(t, base.wrap_up),
        colleagues=tuple(replace(one, name=name(t)) for one in base.colleagues) * 8,
        offer_why=handed if base.phase in ("reserved", "previewing") else None,
    )


def idle(t: Texts, base: c.Idle) -> c.Idle:
    """Thirty attempts, callbacks with long words, a long note of the supervisor."""
    step = steps(t)[6].label
    attempts = tuple(
        replace(one, customer=name(t), step=step, disposition=wrap_up_words(t), then=step)
        for one in base.attempts * 6
    )
    callbacks = tuple(
        replace(one, customer=name(t), said=note(t), step=step, place=t("Bayingolin Mongol Autonomous Prefecture", "巴音郭楞蒙古自治州"))
        for one in base.callbacks
    )  # fmt: skip
    rows = tuple(replace(row, text=note(t), customer=name(t)) for row in base.follow_ups.rows)
    return replace(
        base,
        attempts=attempts,
        callbacks=callbacks,
        follow_ups=replace(base.follow_ups, rows=rows),
        handed_over=tuple(replace(one, customer=name(t), to=name(t)) for one in base.handed_over),
        skills=tuple(t(f"Consumer loans level {n}", f"消费贷款{n}级") for n in range(12)),
        why_none=tuple(replace(one, note=note(t), count=500 + n) for n, one in enumerate(base.why_none)) * 3,
        notes=tuple(replace(one, text=note(t)) for one in base.notes * 3),
    )


def wrap_up_words(t: Texts) -> str:
    """A result with a long name."""
    return t("Will come to the branch with the original", "将携带原件前往支行办理")


def rail(t: Texts, base: c.Rail) -> c.Rail:
    """An agent and callbacks with long names; five hundred wait."""
    return replace(
        base,
        agent_name=name(t),
        waiting=500,
        callable_now=0,
        oldest_since=NOW - timedelta(hours=31),
        callbacks=tuple(replace(one, customer=name(t)) for one in base.callbacks),
        overdue=137,
    )

"""Voice of the customer and segments in every state."""

from typing import Any

from callcenter.web.pages import segments as segments_page
from callcenter.web.pages import voice as page
from callcenter.web.pages.studio import Choice
from tests.web.sample_frame import Texts, at, frame

CAUSES = ("technical", "usability", "product", "price", "trust", "need")
LONG = "A wish that somebody wrote down at length, for the customer told it in every detail, twice. "


def _tabs(here: int) -> tuple[Choice, ...]:
    names = ("Causes", "Suggestions", "Surveys")
    return tuple(Choice(name, f"/{place}", place == here) for place, name in enumerate(names))


def _row(t: Texts, number: int, *, is_chosen: bool) -> page.CauseRow:
    counts = (12 - number, 5, 0, 1, 3, 7)
    cells = tuple(
        page.CauseCell(cause, count, count / 40, (count - 4) / 2 if number != 2 else None)
        for cause, count in zip(CAUSES, counts, strict=True)
    )
    label = t(f"Step {number}", f"步骤 {number}")
    return page.CauseRow(f"s{number}", label, "/studio/voice?step=s", 40, 28, 160, 60, cells, is_chosen)


def voice(language: str, theme: str, state: str) -> page.VoicePage:
    t = Texts(language)
    rows = tuple(_row(t, number, is_chosen=number == 1) for number in range(1, 9)) if state != "empty" else ()
    notes = (
        page.NoteRow(
            at("14:02"), t("••• tried three times, glare on the card", "•••试了三次，证件反光"), CAUSES[:2]
        ),
        page.NoteRow(at("09:00", -3), LONG * 4, ()),
    )
    return page.VoicePage(
        frame=frame(language, theme, "voice"),
        tabs=_tabs(0),
        journeys=(Choice(t("Loan", "贷款"), "/a", True), Choice(t("Account", "账户"), "/b")),
        windows=(Choice(t("7 days", "7 天"), "/a"), Choice(t("28 days", "28 天"), "/b", True)),
        journey=t("Loan", "贷款"),
        from_on=at("00:00", -27).date(),
        to_on=at("12:00").date(),
        window_days=28,
        earlier_windows=4,
        query="days=28",
        causes=CAUSES,
        rows=rows,
        chosen=rows[0] if rows else None,
        filters=(Choice(t("All", "全部"), "/a", True), Choice(t("Trust", "信任"), "/b")),
        notes=notes if state == "full" else (),
        more_notes=10 if state == "full" else 0,
    )


def _wish(t: Texts, number: int, **more: Any) -> page.WishRow:
    text = t("Upload the photo from the gallery", "从相册上传照片") if number else LONG * 2
    return page.WishRow(f"w{number}", text, t("ID photo", "证件照"), at("10:00", -number), **more)


def suggestions(language: str, theme: str, state: str) -> page.SuggestionsPage:
    t = Texts(language)
    row = page.SuggestionRow(
        "s1", t("Upload from the gallery", "从相册上传"), "/studio/voice/suggestions/s1", "planned",
        t("G. Yan", "高岩"), 12, 11, 8, 31, 420, 1_208, (t("ID photo", "证件照"),), at("10:00"), "", True,
    )  # fmt: skip
    other = page.SuggestionRow(
        "s2", LONG[:60], "/studio/voice/suggestions/s2", "declined", None, 0, 0, 0, 0, 0, 0, (), None, "no"
    )
    error = t("Say in a word why it is declined.", "请简短说明不采纳的原因。") if state == "failed" else None
    values = {"title": row.title, "state": "declined" if error else "planned", "owner": "u1", "reason": ""}
    wishes = (_wish(t, 0, note=LONG), _wish(t, 1, causes=CAUSES[:3], like=row.title, like_id="s1"))
    chosen = page.ChosenSuggestion(row, values, (_wish(t, 2, note=LONG),), (Choice(LONG[:40], "/x"),), error)
    is_empty = state == "empty"
    return page.SuggestionsPage(
        frame=frame(language, theme, "voice"),
        tabs=_tabs(1),
        states=(Choice(t("All", "全部"), "/a", True), Choice(t("New", "新"), "/b")),
        days=28,
        rows=() if is_empty else (row, other),
        wishes=() if is_empty else wishes,
        chosen=chosen if state in ("full", "failed") else None,
        owners=(("u1", t("G. Yan", "高岩")),),
        others=() if is_empty else (("s2", other.title),),
        all_states=("new", "considered", "planned", "done", "declined"),
        ticked=frozenset({"w1"}) if state == "list" else frozenset(),
        error=t("Choose the wishes first, at most 200 at once.", "请先勾选诉求。")
        if state == "list"
        else None,
    )


def surveys(language: str, theme: str, state: str) -> page.SurveysPage:
    t = Texts(language)
    figures = {
        "invited": 240,
        "withheld": 9,
        "answered": 61,
        "rate": 61 / 240,
        "promoters": 34,
        "passives": 15,
    }
    figures |= {"detractors": 12, "score": 36.1, "low": 15.9, "high": 53.6}
    empty = page.SurveyRow("", "", t("All", "全部"), "", False)
    rows = (
        page.SurveyRow("loan", "", t("Loan", "贷款"), "on", True, **figures),
        page.SurveyRow("loan", "r1", t("ID photo trouble", "证件照受阻"), "as_campaign", True, **figures),
        page.SurveyRow("loan", "r2", LONG[:60], "off", False),
        page.SurveyRow("loan", "r3", "gone-rule", "", False, **figures),
    )
    answers = (page.AnswerRow(at("08:00"), 3, "detractor", LONG, t("ID photo", "证件照")),)
    is_empty = state == "empty"
    return page.SurveysPage(
        frame=frame(language, theme, "voice"),
        tabs=_tabs(2),
        windows=(Choice(t("28 days", "28 天"), "/b", True),),
        window_days=28,
        total=empty if is_empty else page.SurveyRow("", "", t("All", "全部"), "", False, **figures),
        rows=() if is_empty else rows,
        answers=() if is_empty else answers,
        trend=() if is_empty else (12.0, -4.0, 20.0, 36.1),
        hears=not is_empty,
    )


def _segment(
    t: Texts, key: str, trouble: str | None = None, size: int | None = 1_204
) -> segments_page.SegmentRow:
    words = t(
        "Customers with: no “Face scan” in the last 30 days; and the tag vip.",
        "近 30 天内没有“人脸识别”的客户。",
    )
    worked_at = at("13:50") if size is not None else None
    return segments_page.SegmentRow(
        key, key, words, f"/studio/segments/{key}", size, 20_000, worked_at, 840, trouble, trouble is None
    )


def segments(language: str, theme: str, state: str) -> segments_page.SegmentsPage:
    t = Texts(language)
    head = frame(language, theme, "segments")
    if state == "empty":
        return segments_page.SegmentsPage(head)
    rows = (
        _segment(t, "long-quiet"),
        _segment(t, "slow", "took_too_long"),
        _segment(t, "gone", "no_longer_fits"),
        _segment(t, "fresh", size=None),
    )
    tags = (
        segments_page.TagRow("vip", t("Treat with care", "重点关怀"), 12, True),
        segments_page.TagRow("old", LONG[:70], 3, False),
    )
    if state == "failed":
        error = t("There is a tag of this code.", "已有相同代码的标签。")
        return segments_page.SegmentsPage(head, rows, tags, {"code": "vip", "en": "x", "zh": ""}, error)
    return segments_page.SegmentsPage(head, rows, tags)


def _form(t: Texts, state: str) -> segments_page.SegmentForm:
    columns = (
        "form",
        "event",
        "days",
        "times",
        "recent_days",
        "amount",
        "least",
        "field",
        "op",
        "value",
        "has",
    )
    empty = dict.fromkeys((*columns, "tag", "group"), "")
    forms = ("did", "did_not", "first", "last", "worth", "attribute", "tag", "survey")
    rows = [{**empty, "form": one, "days": "30"} for one in (forms if state != "empty" else forms[:1])]
    problem = (
        t("Choose what they did from the list.", "请从列表中选择客户行为。") if state == "failed" else None
    )
    return segments_page.SegmentForm(
        values={"key": "long-quiet", "title.en": "Long quiet", "title.zh": "", "joined": "all"},
        rows=tuple(
            segments_page.FormRow(one, problem if place == 1 else None) for place, one in enumerate(rows)
        ),
        problems={"title": problem, "key": problem, "rows": problem} if problem else {},
        forms=tuple((one, one) for one in forms),
        events=(("face_scan", t("Face scan", "人脸识别")),),
        amounts=(("amount", t("the amount", "金额")),),
        fields=(("customer.city", t("the customer's city", "客户城市")),),
        operators=(("=", "="), (">", ">")),
        groups=(("detractor", t("Detractors", "贬损者")),),
        most_rows=8,
        words=LONG if state == "looked" else None,
        looked=1_204 if state == "looked" else None,
        of=20_000,
        note=LONG if state == "failed" else None,
    )


def segment(language: str, theme: str, state: str) -> segments_page.SegmentPage:
    t = Texts(language)
    head = frame(language, theme, "segments")
    if state in ("empty", "failed"):
        return segments_page.SegmentPage(head, _form(t, state))
    member = segments_page.Member(
        t("C•••", "陈•••"), "138 •••• 8000", t("Chengdu", "成都"), t("English", "中文")
    )
    rules = ("quiet-vip",) if state == "full" else ()
    row = _segment(t, "long-quiet", None if state == "full" else "took_too_long")
    return segments_page.SegmentPage(head, _form(t, state), row, (member,) * 12 if rules else (), rules)

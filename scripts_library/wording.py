"""How it is said: in one breath, in one language, and nothing in it that may not be said on the telephone.

What is found by lists of words is found by its look only, so a promise or a hurry is a warning. A figure for
a rate, a question for a secret, and business told before the person is confirmed are mistakes.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from scripts_library.facts import sample_facts
from scripts_library.model import Finding, Script, Text
from scripts_library.rendering import fill_context, fill_lines

CLAUSE_COLUMNS = 52  # the widest clause the console shows on one line; a Chinese character takes two
SENTENCE_COLUMNS = 120  # what can be said in one breath, with its commas
_CLAUSE_END = re.compile(r"[.,;:?!。，；：？！、—]+\s*|\n+")
_SENTENCE_END = re.compile(r"[.?!。？！]+\s*")
_PLACEHOLDER = re.compile(r"\{[{%].*?[}%]\}")
_NEGATION = re.compile(
    r"\b(?:no|not|nor|never|none|nobody|nothing|without|cannot|\w+n't)\b|[不没別别勿无未]", re.IGNORECASE
)
_NOT_WORDS = re.compile(r"->|→|\*\*|<!--|^#|^- ")
_CHINESE = re.compile(r"[一-鿿]")
_ENGLISH_SENTENCE = re.compile(r"[A-Za-z]+(?: [A-Za-z]+){3}")
_HALF_WIDTH = re.compile(r"(?<=[一-鿿])[,;:?!]|[,;:?!](?=[一-鿿])")

_RATE_FIGURE = re.compile(
    r"\d\s*(?:%|％|‰|per ?cent\b)|百分之|\b(?:rate|interest|yield|return)s?\b\D{0,20}\d"
    r"|(?:利率|年化|利息|收益率?)\D{0,8}\d|[\d一二两三四五六七八九十几]\s*(?:个点|厘(?!米)|分利)",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"\bguarante\w+|\bpromis\w+|\brisk[- ]free\b|\bfor sure\b|\bdefinitely\b"
    r"|保证|承诺|包过|包您|肯定能|肯定会|一定能|一定会|必过|绝对|稳赚|保本|[零无]风险|没有风险|秒到|秒批",
    re.IGNORECASE,
)
_PRESSURE = re.compile(
    r"\bhurry up\b|\btoday only\b|\bonly today\b|\blast chance\b|\bbefore it is too late\b"
    r"|\blimited (?:time|offer)\b"
    r"|仅限今天|最后一天|最后机会|名额有限|过期作废|赶紧|抓紧|错过",
    re.IGNORECASE,
)
_HIDDEN_EN = r"(?:codes?|passwords?|pin|(?:id|card) numbers?)"
_HIDDEN_ZH = r"(?:验证码|密码|身份证号|证件号|卡号)"
_TOLD_ZH = r"(?:告诉我|念给我|念一下|报给我|报一下|发给我|发我|说给我)"
_ASKS_SECRET = re.compile(
    rf"\b(?:tell|give|read|send|spell|show)\b.{{0,10}}\b(?:me|us)\b.{{0,30}}\b{_HIDDEN_EN}\b"
    rf"|\bread out\b.{{0,20}}\b{_HIDDEN_EN}\b|\b(?:what is|what's) (?:your|the) {_HIDDEN_EN}\b"
    rf"|{_TOLD_ZH}.{{0,6}}{_HIDDEN_ZH}|把.{{0,6}}{_HIDDEN_ZH}.{{0,8}}{_TOLD_ZH}"
    rf"|{_HIDDEN_ZH}.{{0,8}}{_TOLD_ZH}|{_HIDDEN_ZH}(?:是多少|是什么)",
    re.IGNORECASE,
)
_BUSINESS = re.compile(
    r"\b(?:loans?|credit|borrow\w*|accounts?|applications?|applied|deposits?|savings?|salary|limit|debts?"
    r"|overdue|withdraw\w*|payments?|repay\w*)\b"
    r"|贷款|借款|额度|申请|账户|存款|工资|提款|还款|欠款|逾期|理财|绑卡|信用卡",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Flow:
    """A text as it is spoken, its lines in one flow, and where in it each line of the file begins."""

    words: str
    starts: tuple[int, ...]
    numbers: tuple[int, ...]

    def line(self, offset: int) -> int:
        return self.numbers[bisect_right(self.starts, offset) - 1]

    def parts(self, end: re.Pattern[str]) -> Iterator[tuple[int, str]]:
        """What stands between two ends, each with its offset."""
        last = 0
        for stop in end.finditer(self.words):
            yield last, self.words[last : stop.start()]
            last = stop.end()
        yield last, self.words[last:]


def check_wording(script: Script, sound: Mapping[Text, bool]) -> Iterator[Finding]:
    """What is wrong with the words of a script; texts that are not `sound` cannot be filled and are left out."""
    spoken, early = set(script.speech()), set(script.before_identity())
    for text in script.texts():
        yield from _check_language(text, script.language)
        if not sound[text]:
            continue
        flow = _flow(text, script)
        yield from _check_content(text, flow)
        if text in spoken:
            yield from _check_markup(text)
            yield from _check_breath(text, flow)
        if text in early:
            yield from _matches(
                text, flow, _BUSINESS, "{!r} is the customer's business: say it in the reason"
            )


@lru_cache(maxsize=256)
def sample_context(language: str, absent: tuple[str, ...] = ()) -> Mapping[str, object]:
    """Sample facts to fill a text with, but for those that are absent."""
    known = {name: value for name, value in sample_facts(language).items() if name not in absent}
    return fill_context(language, known)


def _flow(text: Text, script: Script) -> _Flow:
    gap = "" if script.language == "zh" else " "
    words, starts, numbers = "", [0], [text.line]
    for number, line in fill_lines(text, sample_context(script.language), script.id):
        starts.append(len(words))
        numbers.append(number)
        words += line + gap
    return _Flow(words, tuple(starts), tuple(numbers))


def _check_breath(text: Text, flow: _Flow) -> Iterator[Finding]:
    for end, most, what in (
        (_CLAUSE_END, CLAUSE_COLUMNS, "without a pause"),
        (_SENTENCE_END, SENTENCE_COLUMNS, "without a full stop"),
    ):
        for offset, part in flow.parts(end):
            columns = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in part.strip())
            if columns > most:
                message = f"{columns} columns {what}, over {most}: {part.strip()[:30]}..."
                yield Finding(text.path, flow.line(offset), message, is_warning=True)


def _check_content(text: Text, flow: _Flow) -> Iterator[Finding]:
    yield from _matches(text, flow, _RATE_FIGURE, "{!r} is a figure for a rate: say where the app shows it")
    for offset, clause in flow.parts(_CLAUSE_END):
        line = flow.line(offset)
        if (asked := _ASKS_SECRET.search(clause)) and not _NEGATION.search(clause):
            message = f"{asked[0]!r} asks for a secret: no code, password or number is ever read out"
            yield Finding(text.path, line, message)
        for pattern, what in ((_PROMISE, "sounds like a promise"), (_PRESSURE, "hurries the customer")):
            met = pattern.search(clause)
            if met and not _NEGATION.search(clause.replace(met[0], " ")):
                yield Finding(text.path, line, f"{met[0]!r} {what}: say it without", is_warning=True)


def _matches(text: Text, flow: _Flow, pattern: re.Pattern[str], message: str) -> Iterator[Finding]:
    for offset, part in flow.parts(_SENTENCE_END):
        if met := pattern.search(part):
            yield Finding(text.path, flow.line(offset + met.start()), message.format(met[0]))


def _check_markup(text: Text) -> Iterator[Finding]:
    for number, row in enumerate(text.text.split("\n"), start=text.line):
        if met := _NOT_WORDS.search(_PLACEHOLDER.sub("", row)):
            message = (
                f"{met[0].strip()} would be read aloud; a branch starts with its key, `1. **Label** ...`"
            )
            yield Finding(text.path, number, message)


def _check_language(text: Text, language: str) -> Iterator[Finding]:
    for number, row in enumerate(text.text.split("\n"), start=text.line):
        words = _PLACEHOLDER.sub("", row)
        if language == "zh":
            if met := _ENGLISH_SENTENCE.search(words):
                yield Finding(text.path, number, f"English in a Chinese script: {met[0]}")
            if met := _HALF_WIDTH.search(words):
                message = f"half-width {met[0]} beside Chinese: write it full-width"
                yield Finding(text.path, number, message, is_warning=True)
        elif met := _CHINESE.search(words):
            yield Finding(text.path, number, f"Chinese in an English script: {met[0]}")

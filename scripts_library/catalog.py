"""Which script for which call: the most specific one that fits, with the reason why."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from scripts_library.assembling import read_library
from scripts_library.lint import check_library
from scripts_library.model import FALLBACK_LANGUAGE, Script, ScriptLibraryError, UnknownScript


class MatchCode(StrEnum):
    """What decided for a script, most specific first."""

    ERROR = "error"
    MOMENT = "moment"
    STEP = "step"
    JOURNEY = "journey"


@dataclass(frozen=True)
class Match:
    """Why a script was chosen: the deciding code and the value that matched, both for translation.

    `tag` is the customer's tag that also counted, `is_fallback_language` says that the language
    asked for has no such script and English is shown.
    """

    code: MatchCode
    value: str
    tag: str = ""
    is_fallback_language: bool = False


@dataclass(frozen=True)
class ScriptChoice:
    """The script to read and why it is this one."""

    script: Script
    why: Match


@dataclass(frozen=True)
class Catalog:
    """All scripts that may be read, found by what happened to the customer."""

    scripts: tuple[Script, ...]

    def get(self, script_id: str, language: str) -> Script:
        """The script of that id, in English when the language has none; UnknownScript without either."""
        by_language = {script.language: script for script in self.scripts if script.id == script_id}
        script = by_language.get(_base(language)) or by_language.get(FALLBACK_LANGUAGE)
        if script is None:
            raise UnknownScript(f"no script {script_id!r} in {language!r} or {FALLBACK_LANGUAGE!r}")
        return script

    def find(
        self,
        journey: str,
        step: str,
        error: str | None,
        moment: str | None,
        language: str,
        tags: Collection[str] = (),
    ) -> ScriptChoice:
        """The most specific script that fits: error, then moment, then step, then the journey's general one.

        `error` is an event name, a reason, or both as "photo_rejected:glare", in which case the
        reason is tried before the event. A script bound to steps, errors, moments or tags is
        only for those; a matching tag decides between equals. Raises UnknownScript for a journey
        without scripts.
        """
        wanted = _base(language)
        localized = {
            script.id for script in self.scripts if (script.journey, script.language) == (journey, wanted)
        }
        ranked: list[tuple[tuple[int, int, int, int], str, ScriptChoice]] = []
        for script in self.scripts:
            is_fallback = script.language == FALLBACK_LANGUAGE and script.id not in localized
            if script.journey != journey or not (script.language == wanted or is_fallback):
                continue
            fit = _fit(script, step, _error_names(error), moment, tags)
            if fit:
                rank, code, value, tag = fit
                why = Match(code, value, tag, is_fallback_language=script.language != wanted)
                ranked.append((rank, script.id, ScriptChoice(script, why)))
        if not ranked:
            raise UnknownScript(f"no script for journey {journey!r}")
        ranked.sort(key=lambda entry: ([-points for points in entry[0]], entry[1]))
        return ranked[0][2]


def load_catalog(root: Path | None = None) -> Catalog:
    """Read and check all scripts (the shipped ones by default); the caller keeps the result.

    Raises ScriptLibraryError with every finding if anything but a warning is found.
    """
    library = read_library(root)
    findings = sorted({*library.findings, *check_library(library)})
    mistakes = tuple(finding for finding in findings if not finding.is_warning)
    if mistakes:
        raise ScriptLibraryError(f"{len(mistakes)} mistakes in the scripts under {library.root}", mistakes)
    return Catalog(tuple(library.scripts))


@lru_cache(maxsize=1)
def shipped_catalog() -> Catalog:
    """The shipped scripts, read and checked once per process; changed ones take effect with its next start."""
    return load_catalog()


def _base(language: str) -> str:
    """zh-CN, zh_Hans and ZH are all zh."""
    return language.replace("_", "-").split("-")[0].lower()


def _error_names(error: str | None) -> list[str]:
    """The names to look for, most specific first."""
    return [part.strip() for part in reversed((error or "").split(":")) if part.strip()]


def _fit(
    script: Script, step: str, errors: list[str], moment: str | None, tags: Collection[str]
) -> tuple[tuple[int, int, int, int], MatchCode, str, str] | None:
    """Rank (error, moment, step, tag) and deciding match, or None when the script is not for this case."""
    error = next((name for name in errors if name in script.errors), "")
    tag = next((name for name in script.tags if name in tags), "")
    if (
        (script.steps and step not in script.steps)
        or (script.errors and not error)
        or (script.moments and moment not in script.moments)
        or (script.tags and not tag)
    ):
        return None
    error_rank = len(errors) - errors.index(error) if error else 0
    rank = (error_rank, int(bool(script.moments)), int(bool(script.steps)), int(bool(tag)))
    if error:
        return rank, MatchCode.ERROR, error, tag
    if script.moments:
        return rank, MatchCode.MOMENT, moment or "", tag
    if script.steps:
        return rank, MatchCode.STEP, step, tag
    return rank, MatchCode.JOURNEY, script.journey, tag

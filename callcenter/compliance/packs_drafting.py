"""The text a new version of a pack is begun with: what the one in force says, valid from another day."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import yaml
from sqlmodel import Session

from callcenter.compliance.packs import PACKS, load_book
from callcenter.compliance.policies import versions_here

_SKELETON = """\
pack: {pack}
title:
  en: ""
  zh: ""
applies_to:
  regions: []
time_zone: UTC
versions:
  - valid_from: {day}
    calling_hours:
      - value: {{every_day: ["09:00-20:00"]}}
        source: ""
"""


def text_to_begin_with(session: Session, home: Sequence[str], pack: str, day: date, now: datetime) -> str:
    """Return the version of a pack that is in force, alone and valid from `day`; a skeleton where there is none.

    Every scalar stays the text it was written as: NO is Norway. Comments are lost.
    """
    version = load_book(home, versions_here(session)).in_force(pack, now)
    if version is None:
        return _SKELETON.format(pack=pack, day=day.isoformat())
    texts = [text for key, text in versions_here(session) if key == pack]
    shipped = PACKS / f"{version.pack}.yaml"
    if shipped.is_file():
        texts.insert(0, shipped.read_text(encoding="utf-8"))
    for text in reversed(texts):
        told: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only
        for one in told["versions"]:
            if one["valid_from"] == version.valid_from.isoformat():
                told["versions"] = [{**one, "valid_from": day.isoformat()}]
                return _written(told)
    return _SKELETON.format(pack=pack, day=day.isoformat())


class _Writer(yaml.SafeDumper):
    """Writes short lists and maps on one line, and quotes only what YAML would take for something else."""


def _written(told: dict[str, Any]) -> str:
    written: str = yaml.dump(
        told, Dumper=_Writer, allow_unicode=True, sort_keys=False, width=100, default_flow_style=None
    )
    return written

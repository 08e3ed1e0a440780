"""A list is looked at by jobs: a worker that dies between portions loses none of its rows, and does none twice."""

from hashlib import sha256

import pytest
from sqlmodel import col, select

from callcenter import list_acts
from callcenter.domain.enums import OutboxKind
from callcenter.models import ListImport, OutboxMessage
from callcenter.partner_lists import ListWanted
from callcenter.partners import Partner
from tests.jobs.conftest import Floor
from tests.service.test_list_acts import HEAD, row
from workers import jobs

ROWS = 2_200


def _waiting(floor: Floor) -> list[OutboxMessage]:
    floor.bank.session.expire_all()
    found = select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.LOOK_AT_LIST)
    waiting = list(floor.bank.session.exec(found.where(col(OutboxMessage.done_at).is_(None))))
    floor.bank.session.commit()
    return waiting


def test_a_worker_that_dies_between_portions_loses_no_row_and_looks_at_none_twice(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = floor.bank
    body = (HEAD + "".join(row(f"c{number}", number) for number in range(ROWS))).encode()
    draft = list_acts.draft_list(
        bank.session,
        bank.house,
        Partner(None, "Boss", bank.agent_id),
        ListWanted(name="spring.csv", journey="loan", step="profile", reason="Spring"),
        sha256(body).hexdigest(),
        body,
        floor.now,
    )
    bank.session.commit()
    asked = list_acts.partner_lists.call_lists.note_foreseen
    portions, died = [0], [0]

    def dies_now_and_then(*args: object) -> None:
        asked(*args)  # type: ignore[arg-type]
        portions[0] += 1
        if portions[0] in (2, 4, 5):
            died[0] += 1
            raise SystemExit("killed before the commit")

    monkeypatch.setattr(list_acts.call_lists, "note_foreseen", dies_now_and_then)
    for _ in range(40):
        waiting = _waiting(floor)
        if not waiting:
            break
        assert len(waiting) == 1, "one portion stands in line at a time"
        try:
            jobs.look_at_list(waiting[0].id, str(waiting[0].subject_id))  # type: ignore[arg-type]
        except SystemExit:
            continue
    bank.session.expire_all()
    looked = bank.session.get_one(ListImport, draft.id)
    assert died[0] == 3 and looked.looked_at is not None and looked.body is None
    assert [number for number, _, _ in looked.foreseen] == list(range(2, ROWS + 2))
    jobs.look_at_list(1, str(draft.id))
    bank.session.expire_all()
    assert len(bank.session.get_one(ListImport, draft.id).foreseen) == ROWS

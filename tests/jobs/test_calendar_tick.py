"""The calendar may be gone through by any number of schedulers: each date is announced once."""

import threading
from datetime import timedelta

from callcenter import pipeline
from tests.flow.moments import adopts, announced, example_rule, with_moments
from tests.jobs.conftest import Floor
from workers import ticks


def test_schedulers_that_go_through_the_calendar_at_once_announce_each_date_once(floor: Floor) -> None:
    bank = with_moments(floor.bank)
    for number in range(12):
        bank.knows(f"u{number}", customer_since=f"2019-{floor.now:%m-%d}", time_zone="Asia/Shanghai")
    bank.clock.now -= timedelta(hours=4)
    adopts(bank, example_rule("customer-anniversary"))
    bank.clock.now += timedelta(hours=4)
    threads = [threading.Thread(target=ticks.announce, args=(floor.runtime,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    bank.session.rollback()
    assert len(announced(bank)) == 12
    assert pipeline.dates_due(bank.session, bank.house, bank.clock.now) == []

"""How a back-test's report is told: as one JSON object, and as tables for people."""

from typing import Any

from rich.console import Console
from rich.table import Table

from callcenter.backtest.report import SPANS, Assumptions, Report, Sample
from callcenter.domain.durations import duration_text
from callcenter.domain.erlang import load_of

DEFAULT_REACH = "4m: 40 % reached, 8.5 min with wrap-up; 60 % not reached, 1 min"
"""What the default handle time assumes; shown where it is used."""
_BAR = 40
"""The widest bar of the hours, in letters."""


def summary_of(report: Report, seconds: float) -> dict[str, Any]:
    """Return everything the report holds, ready for JSON; shares lie in [0, 1], waits are seconds."""
    result, run, screened = report.result, report.run, report.screened
    busiest = report.busiest
    return {
        "rule": report.spec.key,
        "journey": report.spec.journey,
        "after": duration_text(report.spec.after),
        "events": result.extent.events,
        "first_event_at": result.extent.first_at,
        "clock_ended_at": result.clock_ended_at,
        "read": {"by_columns": run.by_columns, "courses_by_plain_loop": run.courses_left},
        "zone": report.assumptions.zone.key,
        "fired": len(result.firings),
        "per_day": [{"day": day.isoformat(), "fired": fired} for day, fired in report.per_day],
        "per_hour_of_day": [{"hour": hour, "fired": fired} for hour, fired in enumerate(report.per_hour)],
        "peak_hour": {"at": busiest[0], "fired": busiest[1]} if busiest else None,
        "agents": _agents(report),
        "came_back": {
            name: dict(zip(("back", "of"), result.came_back(span), strict=True)) for name, span in SPANS
        },
        "overlap": [
            {
                "rule": one.rule,
                "is_this_rule_as_it_is_live": one.is_own,
                "fired": one.fired,
                "same_visit": one.same_visit,
                "same_visit_or_within_1h": one.nearby,
                "share": _share(one.nearby, len(result.firings)),
            }
            for one in report.overlaps
        ],
        "screening": {
            "policy": screened.policy_version,
            "allowed": screened.allowed,
            "waiting": screened.waiting,
            "barred": screened.barred,
            "barred_customers": screened.barred_customers,
            "reasons": [
                {"reason": reason, "firings": count, "customers": screened.reason_customers[reason]}
                for reason, count in sorted(screened.reasons.items(), key=lambda one: (-one[1], one[0]))
            ],
        },
        "history": "taken as: nothing happened" if report.spec.history else None,
        "samples": [_sample(one) for one in report.samples],
        "seconds": round(seconds, 3),
        "firings": [
            {
                "customer": one.customer,
                "journey_key": one.journey_key,
                "anchor_at": one.anchor_at,
                "due_at": one.due_at,
                "fired_at": one.fired_at,
                "came_back_at": one.came_back_at,
            }
            for one in result.firings
        ],
    }


def _agents(report: Report) -> dict[str, Any]:
    staffing, assumed = report.staffing, report.assumptions
    calls = report.busiest[1] if report.busiest else 0
    return {
        "formula": "erlang_a" if assumed.patience else "erlang_c",
        "calls_per_hour": calls,
        "handle_time_seconds": assumed.handle_time.total_seconds(),
        "assumes": DEFAULT_REACH if assumed.handle_time == Assumptions().handle_time else None,
        "patience_seconds": assumed.patience.total_seconds() if assumed.patience else None,
        "target": {"share": assumed.service_level, "within_seconds": assumed.within.total_seconds()},
        "load_erlangs": round(load_of(calls, assumed.handle_time), 4),
        "needed": staffing.agents,
        "service_level": round(staffing.service_level, 4),
        "occupancy": round(staffing.occupancy, 4),
        "wait_share": round(staffing.wait_share, 4),
        "mean_wait_seconds": round(staffing.mean_wait.total_seconds(), 2),
        "abandoned": None if staffing.abandoned is None else round(staffing.abandoned, 4),
    }


def _sample(sample: Sample) -> dict[str, Any]:
    firing = sample.firing
    return {
        "customer": firing.customer,
        "name": sample.name,
        "journey_key": firing.journey_key,
        "anchor_at": firing.anchor_at,
        "fired_at": firing.fired_at,
        "came_back_at": firing.came_back_at,
        "events": [
            {"at": one.event.event_time, "received_at": one.event.received_at, "event": one.place.key}
            for one in sample.events
        ],
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def print_report(console: Console, report: Report, seconds: float) -> None:
    """Print the report as tables."""
    console.print(_figures(report))
    if report.result.firings:
        console.print(_hours(report), _agents_table(report), _screening(report))
        if report.overlaps:
            console.print(_overlap(report))
        console.print(_samples(report))
    run, events = report.run, report.result.extent.events
    how = "by columns" if run.by_columns else "event by event"
    left = f", {run.courses_left:,} customers' courses event by event" if run.courses_left else ""
    rate = events / max(seconds, 1e-9)
    console.print(
        f"{seconds:.1f} s, {rate:,.0f} events/s, {how}{left}. Nothing was written.", highlight=False
    )
    if report.spec.history:
        console.print("Conditions on earlier calls and events were asked as if nothing had happened before.")


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=any(headings))
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table


def _figures(report: Report) -> Table:
    result, days, busiest = report.result, report.per_day, report.busiest
    zone = report.assumptions.zone.key
    table = _table(f"{report.spec.key}, after {duration_text(report.spec.after)}", "", "")
    table.add_row("events read", f"{result.extent.events:,}")
    table.add_row("firings", f"{len(result.firings):,}")
    if days and busiest:
        top = max(days, key=lambda day: day[1])
        table.add_row(f"days with firings ({days[0][0]} to {days[-1][0]})", f"{len(days):,}")
        table.add_row("firings on such a day", f"{len(result.firings) / len(days):,.1f}")
        table.add_row(f"most on one day ({top[0]})", f"{top[1]:,}")
        table.add_row(f"most in one hour ({busiest[0]:%Y-%m-%d %H:00} {zone})", f"{busiest[1]:,}")
    for name, span in SPANS:
        back, of = result.came_back(span)
        share = f" ({back / of:.1%})" if of else ""
        table.add_row(f"came back by themselves within {name}", f"{back:,} of {of:,}{share}")
    return table


def _hours(report: Report) -> Table:
    table = _table(f"By hour of the day ({report.assumptions.zone.key})", "hour", "firings", "share", "")
    table.columns[3].justify = "left"
    total, most = sum(report.per_hour), max(report.per_hour)
    for hour, fired in enumerate(report.per_hour):
        if fired:
            bar = "█" * max(1, round(fired / most * _BAR))
            table.add_row(f"{hour:02d}:00", f"{fired:,}", _percent(fired, total), bar)
    return table


def _agents_table(report: Report) -> Table:
    staffing, assumed = report.staffing, report.assumptions
    calls = report.busiest[1] if report.busiest else 0
    formula = "Erlang A" if assumed.patience else "Erlang C"
    table = _table(f"Agents for the busiest hour ({formula})", "", "")
    if assumed.handle_time == Assumptions().handle_time:
        table.caption = f"Assumed, to be set by --handle-time: {DEFAULT_REACH}."
    table.add_row("calls in that hour, if every firing is called", f"{calls:,}")
    table.add_row("handle time of a call task, reached or not (assumed)", duration_text(assumed.handle_time))
    if assumed.patience:
        table.add_row("patience", duration_text(assumed.patience))
    table.add_row(f"target: begun within {duration_text(assumed.within)}", f"{assumed.service_level:.0%}")
    table.add_row("agents needed", f"{staffing.agents:,}", style="bold")
    table.add_row("with them: begun in time", f"{staffing.service_level:.1%}")
    table.add_row("with them: agents busy", f"{staffing.occupancy:.1%}")
    table.add_row("with them: mean wait", f"{staffing.mean_wait.total_seconds():,.1f} s")
    if staffing.abandoned is not None:
        table.add_row("with them: reason gone before the call", f"{staffing.abandoned:.1%}")
    return table


def _screening(report: Report) -> Table:
    screened, fired = report.screened, len(report.result.firings)
    title = (
        f"Asked the contact policy {screened.policy_version or '(there is none)'}, with the facts of today"
    )
    table = _table(title, "", "firings", "share", "customers")
    table.add_row("may be called at once", f"{screened.allowed:,}", _percent(screened.allowed, fired), "")
    table.add_row("must wait", f"{screened.waiting:,}", _percent(screened.waiting, fired), "")
    customers = f"{screened.barred_customers:,} never"
    table.add_row("barred", f"{screened.barred:,}", _percent(screened.barred, fired), customers)
    for reason, count in sorted(screened.reasons.items(), key=lambda one: (-one[1], one[0])):
        who = f"{screened.reason_customers[reason]:,}"
        table.add_row(f"  {reason.replace('_', ' ')}", f"{count:,}", _percent(count, fired), who)
    return table


def _overlap(report: Report) -> Table:
    fired = len(report.result.firings)
    table = _table(
        "Firings whose customer a live rule chooses too",
        "live rule",
        "in the same visit",
        "or within 1h",
        "share",
    )
    for one in report.overlaps:
        name = f"{one.rule} (as it is live)" if one.is_own else one.rule
        table.add_row(name, f"{one.same_visit:,}", f"{one.nearby:,}", _percent(one.nearby, fired))
    return table


def _samples(report: Report) -> Table:
    zone = report.assumptions.zone
    table = _table(
        f"{len(report.samples)} customers ({zone.key})", "customer", "fired", "came back", "events around"
    )
    for column in table.columns[1:]:
        column.justify = "left"
    for sample in report.samples:
        firing = sample.firing
        back = f"{firing.came_back_at.astimezone(zone):%m-%d %H:%M}" if firing.came_back_at else "-"
        lines = []
        is_past = False
        for one in sample.events:
            if one.event.received_at > firing.fired_at and not is_past:
                is_past = True
                lines.append("-- fired --")
            lines.append(f"{one.event.event_time.astimezone(zone):%m-%d %H:%M:%S} {one.place.key}")
        if not is_past:
            lines.append("-- fired --")
        who = "\n".join(text for text in (firing.customer, sample.name, firing.journey_key) if text)
        table.add_row(who, f"{firing.fired_at.astimezone(zone):%Y-%m-%d %H:%M:%S}", back, "\n".join(lines))
        table.add_section()
    return table

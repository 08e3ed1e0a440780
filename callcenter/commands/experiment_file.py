"""The export of an experiment, one customer a row, as the counts that `learning/experiments.py` asks for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from callcenter.commands.tables import ROW, Table, flag, number, open_table
from callcenter.errors import BadInput
from callcenter.learning.experiments import Arm, Stratum

FLAGS = "is none of 0, 1, true, false, yes, no"
MOST_STRATA = 2_000
"""More strata than this are no strata but names."""

_CLOCKS = ("%H:%M:%S%.f", "%H:%M")
_FORMATS = [
    *(f"%Y-%m-%d{mark}{clock}{zone}" for mark in "T " for clock in _CLOCKS for zone in ("%#z", "")),
    "%Y-%m-%d",
]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what."""

    assigned: str
    reached: str
    converted: str
    strata: tuple[str, ...] = ()
    time: str | None = None

    @property
    def all(self) -> list[str]:
        """Every column that is read."""
        return [
            self.assigned,
            self.reached,
            self.converted,
            *self.strata,
            *([self.time] if self.time else []),
        ]


@dataclass(frozen=True, slots=True)
class Course:
    """Running counts after each moment at which somebody was drawn, oldest first."""

    at: pl.Series
    rows: npt.NDArray[np.int64]
    treated_converters: npt.NDArray[np.int64]
    held_out_converters: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Experiment:
    """What the file holds."""

    assigned: Arm
    held_out: Arm
    strata: tuple[Stratum, ...]
    course: Course | None


def read_experiment(path: Path, columns: Columns) -> Experiment:
    """Count the rows of both arms. Raises BadInput for what cannot be read or compared."""
    used = [columns.assigned, columns.reached, columns.converted]
    if len(set(used)) != len(used):
        raise BadInput("--assigned, --reached and --converted are three different columns")
    if set(used) & {*columns.strata, columns.time}:
        raise BadInput("--strata and --time are columns of their own: strata are known before the draw")
    table = open_table(path, columns.all)
    rows = table.scan(columns.all).with_columns(flag(name) for name in used)
    counts = _counts(table, rows, columns)
    arms = {True: Arm(0, 0, 0, 0), False: Arm(0, 0, 0, 0)}
    by_stratum: dict[str, dict[bool, Arm]] = {}
    for *labels, assigned, reached, converted, n in counts.iter_rows():
        arm = Arm(n, n * reached, n * converted, n * (reached and converted))
        arms[assigned] += arm
        label = " / ".join(labels)
        stratum = by_stratum.setdefault(label, {True: Arm(0, 0, 0, 0), False: Arm(0, 0, 0, 0)})
        stratum[assigned] += arm
    for is_assigned, name in ((True, "assigned"), (False, "held out")):
        if not arms[is_assigned].n:
            raise BadInput(
                f"{path.name}: nobody was {name} (column {columns.assigned!r}); without both arms there is "
                "nothing to compare with"
            )
    strata = tuple(Stratum(label, two[True], two[False]) for label, two in sorted(by_stratum.items()))
    course = _course(table, rows, columns) if columns.time else None
    return Experiment(arms[True], arms[False], strata if columns.strata else (), course)


def _counts(table: Table, rows: pl.LazyFrame, columns: Columns) -> pl.DataFrame:
    """Rows of each kind, in one pass; a kind with a None in it is a row that cannot be read."""
    used = [columns.assigned, columns.reached, columns.converted]
    kinds = [pl.col(name).fill_null("(empty)").alias(f"stratum {name}") for name in columns.strata]
    counts = table.collect(
        rows.group_by(*kinds, *used).agg(pl.len().alias("__n"), pl.col(ROW).min().alias("__first"))
    )
    if counts.is_empty():
        raise BadInput(f"{table.path.name}: has a header and no rows")
    bad = counts.filter(pl.any_horizontal(pl.col(name).is_null() for name in used)).sort("__first")
    if not bad.is_empty():
        first = bad.row(0, named=True)
        raise table.refusal(first["__first"], next(name for name in used if first[name] is None), FLAGS)
    strata = [f"stratum {name}" for name in columns.strata]
    if strata and counts.select(strata).n_unique() > MOST_STRATA:
        raise BadInput(
            f"{table.path.name}: {', '.join(columns.strata)} make more than {MOST_STRATA:,} strata; "
            "choose columns with few values"
        )
    return counts.select(*strata, *used, "__n")


def _course(table: Table, rows: pl.LazyFrame, columns: Columns) -> Course:
    assert columns.time is not None
    at = _moments(table, rows, columns.time)
    timed = rows.with_columns(at.alias("__at"))
    moments = table.collect(
        timed.group_by("__at")
        .agg(
            pl.col(ROW).min().alias("__first"),
            pl.len().alias("__n"),
            (pl.col(columns.assigned) & pl.col(columns.converted)).sum().alias("__treated"),
            (~pl.col(columns.assigned) & pl.col(columns.converted)).sum().alias("__held"),
        )
        .sort("__at", nulls_last=False)
    )
    if moments["__at"][0] is None:
        raise table.refusal(moments["__first"][0], columns.time, "is not read as the first row's value is")
    running = [moments[name].cast(pl.Int64).cum_sum().to_numpy() for name in ("__n", "__treated", "__held")]
    return Course(moments["__at"], *running)


def _moments(table: Table, rows: pl.LazyFrame, name: str) -> pl.Expr:
    """How to read the column: as the first row reads, a number or a moment in ISO 8601, UTC without a zone."""
    first = table.collect(rows.select(ROW, name).head(1))
    if first.select(number(name)).item() is not None:
        return number(name)
    for form in _FORMATS:
        if first.select(_moment(name, form)).item() is not None:
            return _moment(name, form)
    raise table.refusal(first[ROW][0], name, "is neither a number nor a moment such as 2026-11-21T14:20Z")


def _moment(name: str, form: str) -> pl.Expr:
    if not form.endswith("z"):
        return pl.col(name).str.strptime(pl.Datetime("us"), form, strict=False)
    return pl.col(name).str.strptime(pl.Datetime("us", "UTC"), form, strict=False)

"""A log of drawn actions, one a row, as the columns that `learning/off_policy.py` asks for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from callcenter.commands.experiment_file import FLAGS
from callcenter.commands.tables import ROW, Table, flag, number, open_table
from callcenter.errors import BadInput
from callcenter.learning.logged_choices import NEVER_LOGGED, Codes, Floats, LoggedChoices

MOST_ACTIONS = 50
"""More different actions than this are no actions but names."""
MOST_VALUES = 50
"""A feature of text with more values than this tells customers apart, not kinds of customers."""
FEW_VALUES = 20
"""A number with no more values than this also makes cells, in which every action must have been drawn."""


@dataclass(frozen=True, slots=True)
class ChoiceColumns:
    """Which column holds what; `target` or `target_probability`, the other is None."""

    action: str
    reward: str
    propensity: str
    target: str | None = None
    target_probability: str | None = None
    features: tuple[str, ...] = ()

    @property
    def all(self) -> list[str]:
        """Every column that is read."""
        policy = self.target or self.target_probability or ""
        return [self.action, self.reward, self.propensity, policy, *self.features]


def read_choices(path: Path, columns: ChoiceColumns) -> LoggedChoices:
    """Read the log. Raises BadInput for what is missing, is no number, or lies outside its range."""
    if columns.action == columns.target:
        raise BadInput("--action and --target are two columns: what was drawn, and what would have been")
    for name in (columns.action, columns.reward, columns.propensity):
        if name in columns.features:
            raise BadInput(f"--features: {name!r} is not something that was known before the draw")
    table = open_table(path, columns.all)
    rows = table.scan(columns.all)
    frame = table.collect(
        rows.select(
            pl.col(ROW),
            pl.col(columns.action).alias("action"),
            pl.coalesce(number(columns.reward), flag(columns.reward).cast(pl.Float64)).alias("reward"),
            number(columns.propensity).alias("propensity"),
            _policy(columns),
            *(pl.col(name).alias(f"feature {name}") for name in columns.features),
        )
    )
    if frame.is_empty():
        raise BadInput(f"{path.name}: has a header and no rows")
    _check(table, frame, columns)
    features, cell = _features(table, frame, columns)
    return _choices(table, frame, columns, features, cell)


def _policy(columns: ChoiceColumns) -> pl.Expr:
    if columns.target is not None:
        return pl.col(columns.target).alias("policy")
    return number(columns.target_probability or "").alias("policy")


def _check(table: Table, frame: pl.DataFrame, columns: ChoiceColumns) -> None:
    """Every value is there and in its range; the first that is not is told."""
    chance = pl.col("propensity")
    policy = pl.col("policy")
    is_action = columns.target is not None
    checks = [
        (columns.action, pl.col("action").is_null(), "is missing"),
        (columns.reward, pl.col("reward").is_null(), f"is no number and {FLAGS[3:]}"),
        (columns.propensity, chance.is_null() | (chance <= 0) | (chance > 1), _NO_PROPENSITY),
        (
            columns.target or columns.target_probability or "",
            policy.is_null() if is_action else policy.is_null() | (policy < 0) | (policy > 1),
            "is no probability between 0 and 1",
        ),
    ]
    for name, is_bad, what in checks:
        first = frame.filter(is_bad)[ROW].min()
        if first is not None:
            raise table.refusal(int(str(first)), name, what)


_NO_PROPENSITY = (
    "is no probability above 0 and up to 1. It is the chance with which the logged action was drawn; a row "
    "that was not drawn by chance cannot be used: leave it out, and say of whom the rest are"
)


def _choices(
    table: Table, frame: pl.DataFrame, columns: ChoiceColumns, features: Floats, cell: Codes | None
) -> LoggedChoices:
    actions = tuple(sorted(frame["action"].unique().to_list()))
    if len(actions) > MOST_ACTIONS:
        raise BadInput(
            f"{table.path.name}: column {columns.action!r} has {len(actions):,} different actions; more than "
            f"{MOST_ACTIONS} cannot be told apart"
        )
    action = _codes(frame["action"], actions)
    reward, propensity = frame["reward"].to_numpy(), frame["propensity"].to_numpy()
    if columns.target is not None:
        target = _codes(frame["policy"], actions)
        return LoggedChoices.of_target_actions(actions, action, reward, propensity, target, features, cell)
    policy = frame["policy"].to_numpy()
    return LoggedChoices(actions, action, reward, propensity, policy, None, features, cell)


def _codes(column: pl.Series, values: tuple[str, ...]) -> Codes:
    codes = column.replace_strict(values, range(len(values)), default=NEVER_LOGGED, return_dtype=pl.Int64)
    return codes.to_numpy()


def _features(table: Table, frame: pl.DataFrame, columns: ChoiceColumns) -> tuple[Floats, Codes | None]:
    """Numbers as they are, text as one column for each value but the first; and the cells of the discrete."""
    parts: list[Floats] = []
    discrete: list[pl.Series] = []
    for name in columns.features:
        text = frame[f"feature {name}"]
        read = text.cast(pl.Float64, strict=False)
        if read.null_count() == text.null_count():
            gap = frame.filter(read.is_null() | ~read.is_finite().fill_null(False))[ROW].min()
            if gap is not None:
                raise table.refusal(int(str(gap)), name, "is no finite number; fill it or leave the row out")
            parts.append(read.to_numpy().reshape(-1, 1))
            if read.n_unique() <= FEW_VALUES:
                discrete.append(read.rank("dense"))
            continue
        values = sorted(text.fill_null("(empty)").unique().to_list())
        if len(values) > MOST_VALUES:
            raise BadInput(
                f"{table.path.name}: column {name!r} has {len(values):,} different values; a feature of text "
                f"has no more than {MOST_VALUES}: group them"
            )
        codes = _codes(text.fill_null("(empty)"), tuple(values))
        parts.append((codes[:, None] == np.arange(1, len(values))).astype(np.float64))
        discrete.append(pl.Series(name, codes))
    features = np.hstack(parts) if parts else np.empty((len(frame), 0))
    if not discrete:
        return features, None
    cells = pl.DataFrame([one.alias(str(place)) for place, one in enumerate(discrete)])
    cell = cells.select(pl.struct(pl.all()).rank("dense") - 1).to_series().cast(pl.Int64).to_numpy()
    return features, cell

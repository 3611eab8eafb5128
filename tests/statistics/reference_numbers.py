"""How the package's numbers are held against those that R gives for the same responses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.disparity import disparities, levels_of
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.rates import rates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import Design

Row = dict[str, Any]

RATE_KEYS: Final = ("outcome", "dimension", "group", "within", "within_group")
DISPARITY_KEYS: Final = ("outcome", "dimension", "method", "group", "reference")
INFLUENCE_KEYS: Final = ("group", "reference", "left_out_kind", "left_out")


class Tolerances(NamedTuple):
    """How closely R's numbers must be met; relative, and absolute where a number may be 0.

    Attributes:
        closed_form: of what is computed in one step.
        iterated: of logistic regressions.
        mixed: of what `glmer` maximised.
        permutation: absolute, of p-values by random permutations on either side.
        bootstrap: of the ends of intervals by random draws on either side, in
            standard errors.
    """

    closed_form: float = 1e-9
    iterated: float = 1e-7
    mixed: float = 1e-5
    permutation: float = 0.015
    bootstrap: float = 0.3

    def of(self, row: Row, column: str) -> dict[str, float]:
        """What `pytest.approx` takes, for one number of a row of R's."""
        if "tolerance" in row:
            return within(row["tolerance"], column)
        method = str(row.get("method"))
        if method.startswith("bootstrap") and column != "estimate":
            # The end of an interval is three times as noisy as its standard error.
            share = 3 if column == "std_error" else 1
            return {"abs": self.bootstrap * row["std_error"] / share, "rel": 0}
        if method in {"permutation_names", "permutation_names_f"} and column == "p_value":
            return {"abs": self.permutation, "rel": 0}
        near = self.iterated if method.startswith("glm") else self.closed_form
        if column in {"p_value", "p_adjusted"}:
            # A relative error of the statistic grows in the tail of t by about its square.
            return within(100 * near, column)
        return within(near, column)


def within(tolerance: float, column: str) -> dict[str, float]:
    """What `pytest.approx` takes: absolute below 1 and relative above.

    A p-value of 1e-49 is compared in its digits, not in its distance from 0.
    """
    digits = column in {"p_value", "p_adjusted", "std_error", "df"}
    return {"abs": 0 if digits else tolerance, "rel": tolerance}


@dataclass(frozen=True)
class ReferenceStudy:
    """A study and what R says of it.

    Attributes:
        observations: rows of `observe`.
        config: for the comparisons.
        numbers: R's `rates`, `disparities`, `influence` as rows of these tables,
            `mixed_model` and, of a balanced study, `components`.
        tolerances: how closely they must be met.
        is_own: whether R was given these tables' rows to fill, all of them.
    """

    observations: pl.DataFrame
    config: AnalysisConfig
    numbers: dict[str, Any]
    tolerances: Tolerances
    is_own: bool = True

    @cached_property
    def rates(self) -> pl.DataFrame:
        """The package's table, with three readings of the labels."""
        readings = [Outcome.REFUSAL, Outcome.HARMFUL_REFUSAL, Outcome.NO_FULL_ANSWER]
        return rates(self.observations, self.config.model_copy(update={"outcomes": readings}))

    @cached_property
    def disparities(self) -> pl.DataFrame:
        """The package's table."""
        return disparities(self.observations, self.config)

    @cached_property
    def influence(self) -> pl.DataFrame:
        """The package's table of refusals by group."""
        dimensions = {"group": self.config.dimensions["group"]}
        update = {"outcomes": [Outcome.REFUSAL], "dimensions": dimensions}
        return influences(self.observations, self.config.model_copy(update=update))

    def design(self, dimension: str = "group") -> Design:
        """The counts of refusals."""
        levels = levels_of(
            self.observations, dimension, self.config.dimensions[dimension].reference
        )
        return build_designs(self.observations, dimension, levels, [Outcome.REFUSAL])[
            Outcome.REFUSAL
        ]


def hold(
    study: ReferenceStudy, expected: Iterable[Row], frame: pl.DataFrame, keys: Sequence[str]
) -> None:
    """Hold the package's table against R's numbers, and say where it departs, a line each.

    A row of R's may name its own relative tolerance.

    Args:
        study: gives the tolerances.
        expected: R's rows; every number of them is looked for.
        frame: the package's table.
        keys: columns that tell the rows apart.
    """
    mine = {tuple(row[key] for key in keys): row for row in frame.iter_rows(named=True)}
    assert len(mine) == frame.height, "two rows of the table have the same keys"
    lines = []
    for row in expected:
        key = tuple(row.get(each) for each in keys)
        found = mine.get(key)
        if found is None:
            lines.append(f"{key}: no such row")
            continue
        for column in row.keys() - {*keys, "tolerance"}:
            near = study.tolerances.of(row, column)
            if found[column] is None or found[column] != pytest.approx(row[column], **near):
                here = (
                    f"{found[column]} here ({found['note']})" if "note" in found else found[column]
                )
                lines.append(f"{key} {column}: {here}, {row[column]} in R")
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)

"""Whether the difference between groups hangs on how or under what they are asked about.

A factor that names and texts both meet every level of (a wording or a form within matched
sets, a system prompt) is crossed with the groups. Of each of its levels there is a difference
between groups, and between two of its levels a contrast of these contrasts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.factors import is_listed
from refusal_parity.statistics.adjust import adjust_exploratory
from refusal_parity.statistics.designs.counts import Design, codes_of
from refusal_parity.statistics.designs.mixtures import Mixtures, mixtures
from refusal_parity.statistics.designs.outcome_columns import count_outcomes, outcome_column
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.enough import sizes_of
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.model_losses import bounds_of
from refusal_parity.statistics.results import NOT_ESTIMABLE, ends_within, join_notes
from refusal_parity.statistics.rounding import settled
from refusal_parity.statistics.running import run_method
from refusal_parity.statistics.uncounted import UNCOUNTED, absent_levels
from refusal_parity.tables import Interactions, conform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.results import Estimate

ALIKE: Final = "the same for every name and text at both levels"
_METHOD: Final = OLS_CR2_TWO_WAY

Row = dict[str, Any]


def interactions(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[Interactions]:
    """Differences between groups at each level of a crossed factor, and how these differ.

    At level w, the difference is that of `ols_cr2_two_way` over the responses at w. Between
    w and the factor's reference v, each pair of name and text (set or template) has
    q = rate at w - rate at v, and the contrast of contrasts is the same regression of q,
    one q a pair: names and texts are clusters of q as they are of a rate. Groups that are other
    mixtures at a level, of arms or wordings (`mixtures`), are not compared there. All rows are
    exploratory, adjusted by Benjamini and Hochberg within model and outcome.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions with their references, alpha.
        say: hears what failed numerically.

    Returns:
        Table of Interactions, for each dimension of names with each crossed factor.

    Raises:
        InputError: a reference level does not occur in the observations.
    """
    units = {key: DIMENSIONS[key].unit for key in analysis.dimensions}
    crossed = [
        (dimension, factor)
        for dimension, unit in units.items()
        for factor, other in units.items()
        if unit is Unit.NAME and other.is_crossed_within
    ]
    rows = [
        {"model": model, "dimension": dimension, "factor": factor} | row
        for (model,), part in observations.group_by("model", maintain_order=True)
        if not is_listed(part)
        for dimension, factor in crossed
        for row in _of_factor(
            part, dimension, factor, analysis, Guard(say, (str(model), dimension, factor))
        )
    ]
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in Interactions.columns().items()
        if name not in {"family", "p_adjusted"}
    }
    family = pl.format("exploratory: {} at levels of factors", "outcome")
    table = settled(adjust_exploratory(pl.DataFrame(rows, schema=schema), family))
    return conform(table, Interactions, where="interactions")


def _of_factor(
    observations: pl.DataFrame,
    dimension: str,
    factor: str,
    analysis: AnalysisConfig,
    guard: Guard,
) -> Iterator[Row]:
    groups, levels = (
        levels_of(observations, key, analysis.dimensions[key].reference)
        for key in (dimension, factor)
    )
    keys = [dimension, factor, "name_id", "text_id"]
    cells = count_outcomes(
        observations.drop_nulls([dimension, factor, "label"]), keys, analysis.readings
    )
    of_level = {level: cells.filter(pl.col(factor) == level) for level in levels}
    observed = {level: observations.filter(pl.col(factor) == level) for level in levels}
    for outcome in analysis.readings:
        key = str(outcome)
        alike = {
            level: mixtures(part, dimension, groups, outcome) for level, part in observed.items()
        }
        tested = partial(_tested, dimension, groups, outcome, analysis, guard)
        read = partial(_tested, dimension, groups, outcome, analysis, Guard())
        for level in levels:
            part = of_level[level]
            n, k = part["n"].to_numpy(), part[key].to_numpy()
            absent = absent_levels(
                observed[level], dimension, groups, set(part[dimension]), outcome
            )
            lost = {group: f"{why} here" for group, why in absent.items()}
            rows = tested(part, n, k, level, None, lost, alike[level])
            asked = _asked(observed[level], keys, outcome)
            again = partial(read, level=level, base=None, lost=lost)
            yield from _with_bounds(rows, asked, groups[0], again)
        for level in levels[1:]:
            pairs = _pairs(of_level, (level, levels[0]), dimension)
            rates = [
                pairs[f"{key}{which}"].to_numpy() / pairs[f"n{which}"].to_numpy()
                for which in ("", "_base")
            ]
            change = np.asarray(rates[0] - rates[1], dtype=np.float64)
            either = alike[level].or_those(alike[levels[0]])
            lost = {
                group: f"{group} has {UNCOUNTED} at both levels"
                for group in groups
                if group not in set(pairs[dimension])
            }
            rows = tested(pairs, np.ones(len(pairs)), change, level, levels[0], lost, either)
            both = {each: _asked(observed[each], keys, outcome) for each in (level, levels[0])}
            asked = _pairs(both, (level, levels[0]), dimension).with_columns(
                lowest=pl.col("lowest") / pl.col("n") - pl.col("highest_base") / pl.col("n_base"),
                highest=pl.col("highest") / pl.col("n") - pl.col("lowest_base") / pl.col("n_base"),
                left=pl.col("left") + pl.col("left_base"),
                n=pl.lit(1),
            )
            again = partial(read, level=level, base=levels[0], lost=lost)
            yield from _with_bounds(rows, asked, groups[0], again)


def _pairs(
    of_level: Mapping[str, pl.DataFrame], levels: tuple[str, str], dimension: str
) -> pl.DataFrame:
    """Cells at one level of a factor, with those of the same name and text at another."""
    return of_level[levels[0]].join(
        of_level[levels[1]],
        on=[dimension, "name_id", "text_id"],
        suffix="_base",
        maintain_order="left",
    )


def _asked(observations: pl.DataFrame, keys: Sequence[str], outcome: Outcome) -> pl.DataFrame:
    """Cells of all that was asked, with sums of both readings of what was left out."""
    has, left = outcome_column(outcome).fill_null(value=False), pl.col("label").is_null()
    return (
        observations.drop_nulls(keys)
        .group_by(keys)
        .agg(n=pl.len(), left=left.sum(), lowest=has.sum(), highest=(has | left).sum())
        .sort(keys)
    )


def _with_bounds(
    rows: Iterator[Row], asked: pl.DataFrame, reference: str, read: Callable[..., Iterator[Row]]
) -> Iterator[Row]:
    """Rows of groups, each with its numbers in both readings of what was left out."""
    if not asked["left"].sum():
        yield from rows
        return
    dimension = asked.columns[0]
    of_reference = pl.col(dimension) == reference
    left = dict(asked.group_by(dimension).agg(pl.col("left").sum()).iter_rows())
    both = {}
    for reading, other in (("lowest", "highest"), ("highest", "lowest")):
        k = asked.select(pl.when(of_reference).then(other).otherwise(reading)).to_series()
        n = asked["n"].to_numpy()
        both[reading] = list(read(asked, n, k.to_numpy(), alike=Mixtures()))
    for at, row in enumerate(rows):
        lost = left.get(row["group"], 0) + left.get(reference, 0)
        yield row | bounds_of(lost, {reading: found[at] for reading, found in both.items()})


def _tested(  # noqa: PLR0913, PLR0917 - what is compared in full
    dimension: str,
    groups: Sequence[str],
    outcome: Outcome,
    analysis: AnalysisConfig,
    guard: Guard,
    cells: pl.DataFrame,
    n: FloatArray,
    k: FloatArray,
    level: str,
    base: str | None,
    lost: Mapping[str, str],
    alike: Mixtures,
) -> Iterator[Row]:
    """A row for each group against the reference, of sums k over n in each cell."""
    found: dict[str, Estimate] = {}
    present = set(cells[dimension])
    if len(present) > 1:
        order = [group for group in groups if group in present]
        design = Design(
            tuple(order),
            np.array([order.index(each) for each in cells[dimension]], dtype=np.intp),
            codes_of(cells["name_id"].to_numpy().astype(np.str_)),
            codes_of(cells["text_id"].to_numpy().astype(np.str_)),
            n.astype(np.float64),
            k.astype(np.float64),
        )
        rows = run_method(_METHOD, design, dimension, outcome, analysis, guard)
        held = map(alike.held, map(sizes_of(design).held, rows))
        found = {str(row.group): row for row in held if row.reference == groups[0]}
    texts = dict(cells.group_by(dimension).len().iter_rows())
    for group in groups[1:]:
        row = {
            "outcome": str(outcome),
            "group": group,
            "reference": groups[0],
            "factor_level": level,
            "factor_base": base,
            "scope": str(_METHOD.scope),
            "n_group": texts.get(group, 0),
            "n_reference": texts.get(groups[0], 0),
        }
        if group in found:
            numbers = {key: each for key, each in found[group].numbers.items() if key in _NUMBERS}
            if outcome.is_rate:
                numbers |= ends_within(numbers, 1.0 if base is None else 2.0)
            few = found[group].few
            if few is not None:
                numbers = {"estimate": numbers["estimate"]}
            yield (
                row
                | numbers
                | {"note": join_notes(found[group].note, few)}
                | _alike(
                    cells[dimension].is_in([group, groups[0]]).to_numpy(), k, base, found[group]
                )
            )
        else:
            why = next(lost[each] for each in (groups[0], group) if each in lost)
            yield row | {"note": f"{NOT_ESTIMABLE}{why}"}


_NUMBERS: Final = ("estimate", "std_error", "df", "ci_low", "ci_high", "statistic", "p_value")


def _alike(
    compared: np.typing.NDArray[np.bool_], k: FloatArray, base: str | None, found: Estimate
) -> Row:
    """A change of 0 where every pair has it, which no error is needed for."""
    if base is None or found.estimate is not None or k[compared].any():
        return {}
    return {"estimate": 0.0, "note": ALIKE}

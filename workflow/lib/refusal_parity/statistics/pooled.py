"""The table of names' and templates' rates, each pooled with the others of its kind."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.counting import counted
from refusal_parity.dimensions import GROUP
from refusal_parity.factors import is_listed
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.outcome_columns import count_outcomes
from refusal_parity.statistics.enough import LEAST
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.pooling.weighing import Pooled as PooledFit
from refusal_parity.statistics.pooling.weighing import pool
from refusal_parity.statistics.results import NOT_ESTIMABLE
from refusal_parity.statistics.uncounted import why_nothing
from refusal_parity.tables import Pooled, conform
from refusal_parity.vocabulary import PooledUnit

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.pooling.rates import PooledRates

_DECIMALS: Final = 5
"""Of pooled rates: those beyond hang on where the sweeps that find them end."""

_UNITS: Final = {PooledUnit.NAME: "name_id", PooledUnit.TEMPLATE: "template_id"}


def pooled_rates(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[Pooled]:
    """Rate of each name and each template, drawn towards others by as much as it is uncertain.

    See `weighing.pool`. Names are drawn towards those of their group; names without one
    are a group of their own. Templates count one by one, where they are of a matched set too.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, the primary family, alpha.
        say: hears what failed numerically.

    Returns:
        Rows of the primary outcome, or of the first yes-or-no outcome where that is none. A
        prompt list has none, and what has no response that counts has no estimate.
    """
    primary = analysis.primary_family.outcome
    outcomes = sorted(analysis.readings, key=lambda outcome: outcome != primary)[:1]
    parts = [
        _of_model(part, outcome, analysis.alpha, Guard(say, (str(model), str(outcome))))
        for (model,), part in observations.group_by("model", maintain_order=True)
        if not is_listed(part)
        for outcome in outcomes
    ]
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in Pooled.columns().items()
    }
    return conform(pl.concat([pl.DataFrame(schema=schema), *parts]), Pooled, where="pooled")


def _of_model(
    observations: pl.DataFrame, outcome: Outcome, alpha: float, guard: Guard
) -> pl.DataFrame:
    cells = count_outcomes(observations, [GROUP.key, *_UNITS.values()], [outcome]).rename(
        {str(outcome): "k"}
    )
    labelled = cells.filter(pl.col("n") > 0)
    found = guard.run(
        "pooled rates", partial(_fit, labelled, alpha), lambda why: f"{NOT_ESTIMABLE}{why}"
    )
    model = observations["model"][0]
    tables = []
    for unit, key in _UNITS.items():
        group = pl.col(GROUP.key).first() if unit is PooledUnit.NAME else pl.lit(None, pl.String)
        totals = (
            cells.group_by(key)
            .agg(group.alias("group"), pl.col("n", "k").sum())
            .sort(key)
            .rename({key: "key"})
        )
        nothing = totals.join(
            why_nothing(observations, [key]).rename({key: "key"}),
            on="key",
            how="left",
            maintain_order="left",
        )["nothing"]
        tables.append(
            totals.select(
                pl.lit(model).alias("model"),
                pl.lit(str(outcome)).alias("outcome"),
                pl.lit(str(unit)).alias("unit"),
                "key",
                "group",
                "n",
                "k",
                pl.when(pl.col("n") > 0).then(pl.col("k") / pl.col("n")).alias("rate"),
                *_columns(found if isinstance(found, str) else _of_unit(found, unit), nothing),
            )
        )
    return pl.concat(tables)


def _fit(labelled: pl.DataFrame, alpha: float) -> PooledFit | str:
    """Pooled rates of all names and templates with responses, sorted by key; or why not."""
    units = {unit: labelled[key].n_unique() for unit, key in _UNITS.items()}
    few = [counted(units[unit], str(unit)) for unit in _UNITS if units[unit] < LEAST]
    if few:
        return f"{NOT_ESTIMABLE}{' and '.join(few)}, fewer than {LEAST} have nothing to pool"
    name, template = (codes_of(labelled[key].to_numpy()) for key in _UNITS.values())
    shape = (units[PooledUnit.NAME], units[PooledUnit.TEMPLATE])
    n, k = np.zeros(shape), np.zeros(shape)
    n[name, template], k[name, template] = labelled["n"].to_numpy(), labelled["k"].to_numpy()
    group = labelled[GROUP.key].fill_null("").to_numpy()
    level = np.zeros(shape[0], dtype=np.intp)
    level[name] = codes_of(group)
    found = pool(Grid(tuple(np.unique(group)), level, n), k, alpha)
    return f"{NOT_ESTIMABLE}the outcome does not vary" if found is None else found


def _of_unit(found: PooledFit, unit: PooledUnit) -> PooledRates:
    return found.names if unit is PooledUnit.NAME else found.templates


def _columns(found: PooledRates | str, nothing: pl.Series) -> list[pl.Series]:
    """Estimates, intervals and notes of all; of those without an estimate stands why."""
    there = nothing.is_null().to_numpy()
    numbers = np.full((3, len(there)), np.nan)
    if not isinstance(found, str):
        numbers[:, there] = np.round(np.stack(found), _DECIMALS)
    note = found if isinstance(found, str) else None
    columns = zip(("pooled", "pooled_low", "pooled_high"), numbers, strict=True)
    return [
        *(pl.Series(name, values, nan_to_null=True) for name, values in columns),
        pl.Series("note", [why or note for why in nothing], dtype=pl.String),
    ]

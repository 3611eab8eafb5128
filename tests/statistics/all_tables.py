"""Every table of the statistics made of one study, and what differs between two versions."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from random_studies import MODELS, Study

from refusal_parity.statistics.checking.selfcheck import selfcheck
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.interactions import interactions
from refusal_parity.statistics.lengths import lengths
from refusal_parity.statistics.losses.exclusions import exclusions
from refusal_parity.statistics.mixed_models import mixed_models
from refusal_parity.statistics.overview import overview
from refusal_parity.statistics.planning.table import measured_design, planned_design
from refusal_parity.statistics.pooled import pooled_rates
from refusal_parity.statistics.rates import rates
from refusal_parity.statistics.template_effects import template_effects

RELATIVE: Final = 1e-9
"""By how much a number may change with the processor or the order of rows."""

_MONTE_CARLO: Final = frozenset({"influence", "selfcheck"})
"""Tables that hold nothing but counts, and shares of random draws."""

Table = pl.DataFrame


def all_tables(study: Study) -> dict[str, Table]:
    """Every table of the statistics."""
    observations = observe(study.prompts, study.labels, study.analysis, study.responses)
    analysis = study.analysis
    told = rates(observations, analysis)
    compared = disparities(observations, analysis, study.human)
    return {
        "rates": told,
        "disparity": compared,
        "exclusions": exclusions(observations, analysis),
        "interactions": interactions(observations, analysis),
        "template_effects": template_effects(observations, analysis),
        "pooled": pooled_rates(observations, analysis),
        "influence": influences(observations, analysis),
        "lengths": lengths(observations, analysis),
        "selfcheck": selfcheck(observations, analysis),
        "overview": overview([told], [compared]),
        "comparison": compare(observations, analysis, MODELS),
        "design": measured_design(observations, analysis),
        "plan": planned_design(study.prompts, analysis, samples=2),
        "mixed_models": mixed_models(observations, analysis),
    }


def differences(first: dict[str, Table], second: dict[str, Table]) -> list[str]:
    """What of two versions of all tables differs, one line for each column of a table."""
    return [
        f"{name}.{line}"
        for name in first
        for line in _between(
            *(_sorted(tables[name]) for tables in (first, second)),
            relative=0 if name in _MONTE_CARLO else RELATIVE,
        )
    ]


def _sorted(table: pl.DataFrame) -> pl.DataFrame:
    keys = [
        name
        for name, kind in table.schema.items()
        if name != "note" and not (kind.is_numeric() or kind.is_nested()) and kind != pl.Boolean
    ]
    keys += [name for name in ("difference", "names", "reference_names") if name in table.columns]
    return table.with_columns(pl.col(keys).cast(pl.String)).sort(keys, maintain_order=True)


def _between(first: pl.DataFrame, second: pl.DataFrame, *, relative: float) -> list[str]:
    if first.height != second.height:
        return [f"height: {first.height} and {second.height}"]
    lines = []
    for name in first.columns:
        one, other = first[name], second[name]
        if one.dtype.is_float():
            apart = _apart(one, other, relative)
        elif isinstance(one.dtype, pl.List):
            # Of one length, as what is kept of simulated studies is.
            apart = ~one.list.len().eq_missing(other.list.len()).to_numpy()
            if not apart.any():
                rows = pl.Series(range(len(one))).gather(
                    np.repeat(np.arange(len(one)), one.list.len().fill_null(1))
                )
                apart[rows.filter(_apart(one.explode(), other.explode(), relative))] = True
        else:
            apart = ~one.eq_missing(other).to_numpy()
        if apart.any():
            at = int(np.flatnonzero(apart)[0])
            row = {
                key: value
                for key, value in first.row(at, named=True).items()
                if isinstance(value, str) and key != "note"
            }
            lines.append(
                f"{name}: {one[at]!r} and {other[at]!r} in {int(apart.sum())} rows, first {row}"
            )
    return lines


def _apart(one: pl.Series, other: pl.Series, relative: float) -> np.typing.NDArray[np.bool_]:
    """Which numbers differ by more than this share of the larger one."""
    a, b = (each.fill_null(np.nan).to_numpy() for each in (one, other))
    scale = np.maximum(np.abs(a), np.abs(b))
    with np.errstate(invalid="ignore"):
        apart = ~((a == b) | (np.abs(a - b) <= relative * scale))
    return np.asarray(apart & ~(np.isnan(a) & np.isnan(b)))

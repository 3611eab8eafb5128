"""The table of checks: propensities against responses that were drawn, level by level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.factors import is_listed
from refusal_parity.statistics.adjust import holm
from refusal_parity.statistics.designs.counts import Design, clusters_of, codes_of
from refusal_parity.statistics.designs.kinds import kind_of
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.failures import Guard, guarded
from refusal_parity.statistics.fits.least_squares import OTHER_TEMPLATES
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.methods.wilson_two_way import WILSON_TWO_WAY
from refusal_parity.statistics.propensity.measured import ALL, by_dimension, errors_of
from refusal_parity.statistics.proportions import wilson
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.results import NOT_ESTIMABLE
from refusal_parity.tables import PropensityChecks, conform

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.registry import Method
    from refusal_parity.statistics.results import Estimate

Row = dict[str, Any]

_UNTESTED: Final = "levels are no property of names: their differences are not tested"
_UNDRAWN: Final = "no response was drawn: nothing to hold the propensity against"
_NONE_REFUSED: Final = "no drawn response refuses: where refusals open is not known"


def propensity_checks(
    rows: pl.DataFrame, analysis: AnalysisConfig
) -> dy.DataFrame[PropensityChecks]:
    """Drawn rates against those that the trees expect, and where drawn refusals open.

    Each prompt is held against the tree of the templates that are not in its own fold, so
    that a refusal is not expected for having been seen. The gap, drawn less expected, holds
    all that the tree misses: refusals that open otherwise, and openings that refuse more
    often for some. Differences of the gap between levels are tested as those of any mean
    (`ols_cr2_two_way`), those of the share that opens outside by `wilson_two_way`, with the
    refusals as responses; p-values are corrected by Holm's method over the levels.

    Args:
        rows: of `measured`.
        analysis: dimensions with their references, alpha.
    """
    found = [
        {"model": model, "dimension": dimension} | row
        for model, dimension, part in by_dimension(rows, analysis)
        for row in _of_dimension(part, dimension, analysis)
    ]
    schema = {name: column.dtype for name, column in PropensityChecks.columns().items()}
    return conform(pl.DataFrame(found, schema=schema), PropensityChecks, where="propensity checks")


def _of_dimension(part: pl.DataFrame, dimension: str, analysis: AnalysisConfig) -> list[Row]:
    reference = (
        None
        if dimension == ALL
        else next(
            each.reference for key, each in analysis.dimensions.items() if str(key) == dimension
        )
    )
    drawn = part.filter(pl.col("drawn") > 0)
    values = (drawn["drawn_refusals"] / drawn["drawn"] - drawn["tree_rate"]).to_numpy()
    gaps = _gaps(drawn, values, analysis.alpha)
    found = {
        str(group): _level(str(group), of_level, gaps.get(str(group)), analysis.alpha)
        for (group,), of_level in part.group_by("group", maintain_order=True)
    }
    if reference is None or reference not in found:
        return list(found.values())
    for row in found.values():
        if row["group"] != reference:
            row["reference"] = reference
            row["odds_factor"] = _factor(found[reference], row)
    others = [group for group in found if group != reference]
    if DIMENSIONS[dimension].unit is not Unit.NAME or is_listed(part):
        for group in others:
            found[group]["note"] = _joined(found[group].get("note"), _UNTESTED)
        return list(found.values())
    refused = part.filter(pl.col("drawn_refusals") > 0)
    _tested(found, reference, "gap_difference", drawn, (None, values), OLS_CR2_TWO_WAY, analysis)
    counts = (
        refused["drawn_refusals"].to_numpy().astype(np.float64),
        refused["drawn_outside_refusals"].to_numpy().astype(np.float64),
    )
    _tested(found, reference, "outside_difference", refused, counts, WILSON_TWO_WAY, analysis)
    return list(found.values())


def _level(group: str, rows: pl.DataFrame, gap: Row | None, alpha: float) -> Row:
    drawn = rows.filter(pl.col("drawn") > 0)
    n, k, outside = (
        int(rows[key].sum()) for key in ("drawn", "drawn_refusals", "drawn_outside_refusals")
    )
    row: Row = {"group": group, "drawn": n, "drawn_refusals": k, "outside_refusals": outside}
    if not n:
        return row | {"note": _UNDRAWN}
    row |= {"drawn_rate": k / n, "tree_rate": drawn["tree_rate"].sort().mean(), **(gap or {})}
    if not k:
        return row | {"note": _NONE_REFUSED}
    ends = wilson(np.array(float(outside)), np.array(float(k)), alpha)
    return row | {
        "outside_share": outside / k,
        "outside_low": float(ends.low),
        "outside_high": float(ends.high),
    }


def _gaps(drawn: pl.DataFrame, values: FloatArray, alpha: float) -> dict[str, Row]:
    """The mean gap of each level, with its interval where it has one."""
    if not drawn.height:
        return {}
    level = codes_of(drawn["group"].to_numpy().astype(np.str_))
    errors = errors_of(drawn, level, values)
    half = np.asarray(t_isf(alpha / 2, np.maximum(errors.df, 1))) * errors.std_error
    mean = np.bincount(level, values) / np.bincount(level)
    return {
        group: {"gap": float(gap)}
        | (
            {"gap_low": float(gap - reach), "gap_high": float(gap + reach)}
            if np.isfinite(reach)
            else {}
        )
        for group, gap, reach in zip(
            drawn["group"].unique().sort().to_list(), mean, half, strict=True
        )
    }


def _factor(reference: Row, row: Row) -> float | None:
    ours, others = row.get("outside_share"), reference.get("outside_share")
    if ours is None or others is None or others == 1:
        return None
    return float("inf") if ours == 1 else (1 - others) / (1 - ours)


def _tested(  # noqa: PLR0913, PLR0917 - what is tested, and where it goes
    found: dict[str, Row],
    reference: str,
    column: str,
    rows: pl.DataFrame,
    counts: tuple[FloatArray | None, FloatArray],
    method: Method,
    analysis: AnalysisConfig,
) -> None:
    """Fill the differences from the reference, their intervals and p, or the reason for none."""
    what = "gap" if column == "gap_difference" else "share outside"
    estimates = _differences(rows, reference, counts, method, analysis)
    tested = [each for each in estimates.values() if each.p_value is not None]
    adjusted = holm(np.array([each.p_value for each in tested], dtype=np.float64))
    p_values = {each.group: float(p) for each, p in zip(tested, adjusted, strict=True)}
    for group, row in found.items():
        each = estimates.get(group)
        if group == reference:
            continue
        if each is None:
            row["note"] = _joined(row.get("note"), f"{what} not compared: nothing was drawn")
            continue
        row |= {
            column: each.estimate,
            f"{column}_low": each.ci_low,
            f"{column}_high": each.ci_high,
            f"{column}_p": p_values.get(group),
        }
        if each.p_value is None:
            row["note"] = _joined(row.get("note"), f"{what} not compared: {_reason(each)}")


def _reason(each: Estimate) -> str:
    """Why there is no test; of refusals none is compared within templates, which is no reason."""
    said = str(each.note).removeprefix(NOT_ESTIMABLE).split("; ")
    return "; ".join(part for part in said if part != OTHER_TEMPLATES)


def _differences(
    rows: pl.DataFrame,
    reference: str,
    counts: tuple[FloatArray | None, FloatArray],
    method: Method,
    analysis: AnalysisConfig,
) -> dict[str, Estimate]:
    """Of the levels that have any rows, by level; none without the reference."""
    present = rows["group"].unique().sort().to_list()
    if reference not in present or len(present) == 1:
        return {}
    levels = (reference, *(each for each in present if each != reference))
    name, template = clusters_of(rows)
    n, k = counts
    design = Design(
        levels,
        np.array([levels.index(each) for each in rows["group"]], dtype=np.intp),
        name,
        template,
        np.ones(len(k)) if n is None else n,
        k,
        kind_of("group", nested=False),
    )
    # Refusals are few: within templates there would be nothing to compare most of them with.
    studies = Studies.of([design], template_effects=n is None)
    setting = Setting(
        analysis.alpha, analysis.margin, Draws(99, analysis.seed), Resamples(99, analysis.seed)
    )

    def compute() -> list[Estimate]:
        assert method.run is not None  # noqa: S101 - of counts
        return method.run(studies, setting)[0].of_study(0)

    return {
        each.group: each
        for each in guarded(Guard(), [method], levels, compute)
        if each.reference == reference and each.group is not None
    }


def _joined(*notes: str | None) -> str | None:
    return "; ".join(note for note in notes if note) or None

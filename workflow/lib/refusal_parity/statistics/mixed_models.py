"""The table of mixed models: odds ratios for a given name and template, and variances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.distributions import chi2_sf, norm_isf, norm_sf
from refusal_parity.statistics.failures import Guard, NotConvergedError, finite, unheard
from refusal_parity.statistics.false_alarms import MIXED_MODEL
from refusal_parity.statistics.fits.laplace import NO_VARIANCE, MixedModel, fit_mixed_model
from refusal_parity.statistics.rounding import NOTHING, settled
from refusal_parity.statistics.uncounted import absent_levels
from refusal_parity.tables import MixedModels, conform
from refusal_parity.vocabulary import MixedQuantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.failures import Say

_LOGISTIC_VARIANCE: Final = np.pi**2 / 3
_LEVEL: Final = f"type I error rate {MIXED_MODEL} on this design"
_BORDER: Final = "on the border of what is possible: they do not differ beyond chance"
_MAY_BE_INFINITE: Final = frozenset({"estimate", "ci_high"})

Row = dict[str, Any]


def mixed_models(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[MixedModels]:
    """Fit `laplace.fit_mixed_model` for every yes-or-no outcome and dimension.

    Odds ratios hold for one name and template, and lie further from 1 than
    those of whole groups; intervals are Wald's. The likelihood ratio of all
    contrasts has q degrees of freedom. A variance's `share` is of the latent
    variance, with pi^2 / 3 for the responses (Nakagawa, Johnson and Schielzeth
    2017, Journal of the Royal Society Interface 14:20170213).

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions with their references, alpha.
        say: hears which models could not be fitted.

    Raises:
        InputError: a reference level does not occur in the observations.
    """
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in MixedModels.columns().items()
    }
    rows = [
        {"model": model, "outcome": str(outcome), "dimension": dimension} | row
        for (model,), part in observations.group_by("model", maintain_order=True)
        for dimension, config in analysis.dimensions.items()
        for levels in (levels_of(observations, dimension, config.reference),)
        for outcome, design in build_designs(part, dimension, levels, analysis.readings).items()
        for row in _of_design(
            design,
            levels,
            absent_levels(part, dimension, levels, design.levels, outcome),
            analysis.alpha,
            Guard(say, (str(model), dimension, str(outcome))),
        )
    ]
    return conform(settled(pl.DataFrame(rows, schema=schema)), MixedModels, where="mixed models")


def _of_design(
    design: Design, levels: Sequence[str], absent: Mapping[str, str], alpha: float, guard: Guard
) -> list[Row]:
    flat = {
        level: f"{'every' if k else 'no'} response of {level} has the outcome"
        for level, n, k in zip(design.levels, design.level_n, design.level_k, strict=True)
        if k in {0, n}
    }
    left = design.without(flat)
    lost = dict(absent) | flat
    reason = _unfit(left, levels[0], lost)
    if reason is not None:
        return _none(levels, reason)
    rows = guard.run(
        "mixed model", lambda: _fitted(left, alpha), lambda why: _none(left.levels, why)
    )
    return rows + [
        _empty(MixedQuantity.ODDS_RATIO, level, levels[0], f"not estimable: {why}")
        for level, why in lost.items()
    ]


def _none(levels: Sequence[str], reason: str) -> list[Row]:
    """Every row without numbers, for the same reason."""
    note = f"not estimable: {reason}"
    return [
        *(_empty(MixedQuantity.ODDS_RATIO, level, levels[0], note) for level in levels[1:]),
        _empty(MixedQuantity.LIKELIHOOD_RATIO, "all levels", None, note),
        *(_empty(MixedQuantity.VARIANCE, term, None, note) for term in ("name", "template")),
    ]


def _fitted(design: Design, alpha: float) -> list[Row]:
    """Rows of the two fits, with and without levels.

    Raises:
        NotConvergedError: one of them has no maximum that the optimiser finds.
        FloatingPointError: a number is not finite.
    """
    full, null = fit_mixed_model(design), fit_mixed_model(design, levels=False)
    if not (full.converged and null.converged):
        message = "the likelihood has no proper maximum"
        raise NotConvergedError(message)
    return [finite(row, _MAY_BE_INFINITE) for row in _numbers(design, full, null, alpha)]


def _unfit(design: Design, reference: str, lost: dict[str, str]) -> str | None:
    if reference in lost:
        return lost[reference]
    if len(design.levels) <= 1:
        return "there is nothing to compare the reference with"
    for codes, word in ((design.name, "name"), (design.template, "template")):
        if codes.max() == 0:
            return f"there is one {word}"
    return None


def _empty(quantity: MixedQuantity, term: str, reference: str | None, note: str) -> Row:
    return {"quantity": str(quantity), "term": term, "reference": reference, "note": note}


def _numbers(design: Design, full: MixedModel, null: MixedModel, alpha: float) -> Iterator[Row]:
    half_width = norm_isf(alpha / 2)
    errors = np.sqrt(np.diag(full.covariance))
    for level, b, se in zip(design.levels[1:], full.coefficients[1:], errors[1:], strict=True):
        row = _empty(MixedQuantity.ODDS_RATIO, level, design.levels[0], _LEVEL)
        ends = np.exp([b - half_width * se, b + half_width * se])
        yield row | {
            "estimate": float(np.exp(b)),
            "std_error": float(se),
            "ci_low": float(ends[0]),
            "ci_high": float(ends[1]),
            "statistic": float(b / se),
            "p_value": float(2 * norm_sf(abs(b / se))),
        }
    df = len(design.levels) - 1
    ratio = 2 * (full.log_likelihood - null.log_likelihood)
    ratio = ratio if ratio > NOTHING else 0.0
    yield _empty(MixedQuantity.LIKELIHOOD_RATIO, "all levels", None, _LEVEL) | {
        "statistic": ratio,
        "df": float(df),
        "p_value": float(chi2_sf(ratio, df)),
    }
    sizes = {"name": full.name_variance, "template": full.template_variance}
    total = sum(sizes.values()) + _LOGISTIC_VARIANCE
    for term, size in sizes.items():
        row = _empty(MixedQuantity.VARIANCE, term, None, _BORDER)
        yield row | {
            "estimate": size,
            "share": size / total,
            "note": None if size > NO_VARIANCE else _BORDER,
        }

"""How alpha is shared out among families of tests: those of several models, or of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from refusal_parity.statistics.answering.at_level import intervals_at
from refusal_parity.statistics.results import join_notes
from refusal_parity.text import known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.answering.finding import Finding, Row

_Method = Literal["bh", "by"]
_METHODS: Final[dict[str, _Method]] = {"fdr_bh": "bh", "fdr_by": "by"}
_NO_INTERVAL: Final = "no interval is known at the level that is shared out"

_Key = tuple[str, str, str, str]


@dataclass(frozen=True, kw_only=True)
class Shared:
    """How primary families are decided together.

    Attributes:
        rows: by model, group, reference and method, what of a row of disparity.parquet that
            decides is another than with its model alone.
    """

    rows: Mapping[_Key, Row]

    def held(self, model: str, row: Row) -> Row:
        """A row of disparity.parquet, of the primary family, as all models together decide it."""
        changed = self.rows.get((model, row["group"], row["reference"], row["method"]))
        if changed is None:
            return row
        unknown = _NO_INTERVAL if changed["adjusted_low"] is None else None
        return row | changed | {"note": join_notes(row["note"], changed["note"], unknown)}


def share_out(
    families: Mapping[str, Sequence[Finding]], disparity: pl.DataFrame, analysis: AnalysisConfig
) -> Shared:
    """Select models, and decide each by its own correction at the level that this leaves.

    A model's smallest corrected p-value tests that none of its levels differs from the
    reference. Of M such p-values R are selected by Benjamini and Hochberg (or Yekutieli), and
    the family of each is decided by its own correction at alpha R / M (divided by
    1 + 1/2 + ... + 1/M for the latter). Of the selected models those with any difference
    shown that is none are then a share of at most alpha, as expected (Benjamini and
    Bogomolov 2014, Journal of the Royal Statistical Society B 76:297-318, with the
    familywise error as what is controlled in a family). The intervals have that level, too,
    and miss in a share of at most alpha of those selected (Benjamini and Yekutieli 2005).

    A model without a valid test counts among the M, with p = 1: whether there is one hangs on
    the responses. Where differences of one model are decided in several families, by
    several methods, its p-values are multiplied by their number.

    Args:
        families: of each model the comparisons with the reference, each by itself at alpha.
        disparity: rows of all models, from which the findings are.
        analysis: alpha, the primary family, and what is controlled.
    """
    tested = {
        model: [each for each in found if each.p_adjusted is not None]
        for model, found in families.items()
    }
    number = {model: len({each.family for each in found}) for model, found in tested.items()}
    p_values = {
        model: np.array([min(1.0, number[model] * (each.p_adjusted or 0.0)) for each in found])
        for model, found in tested.items()
    }
    smallest = np.array([of_model.min(initial=1.0) for of_model in p_values.values()])
    # Of one model by itself both are the same.
    method = _METHODS.get(analysis.across_models, "bh")
    adjusted = {
        model: over_families(smallest, at, of_model, method)
        for at, (model, of_model) in enumerate(p_values.items())
    }
    selected = sum(bool((each < analysis.alpha).any()) for each in adjusted.values())
    level = level_of(analysis.alpha, selected, len(families), method)
    rows: dict[_Key, Row] = {}
    for model, found in tested.items():
        if not found:
            continue
        own = level / number[model]
        ends = intervals_at(_of_family(disparity, model, analysis), analysis, own)
        for each, p_value in zip(found, adjusted[model], strict=True):
            key = (each.level, each.base, str(each.method))
            low, high = (end if known(end) else None for end in ends.get(key, (None, None)))
            rows[model, *key] = {
                "p_one_model": each.p_adjusted,
                "shared_alpha": own,
                "p_adjusted": float(p_value),
                "adjusted_low": low,
                "adjusted_high": high,
                "ci_low": low,
                "ci_high": high,
                "note": _several(number[model]),
            }
    return Shared(rows=rows)


def within_models(
    families: Mapping[str, Sequence[Finding]], disparity: pl.DataFrame, analysis: AnalysisConfig
) -> Shared | None:
    """The same of each model by itself: only where several methods decide does anything change.

    People's labels may correct some levels of a model and not others. Each of the two families
    of tests at alpha, one of them would be wrong too often.
    """
    rows: dict[_Key, Row] = {}
    for model, found in families.items():
        if len({each.family for each in found if each.p_adjusted is not None}) > 1:
            rows |= share_out({model: found}, disparity, analysis).rows
    return Shared(rows=rows) if rows else None


def _several(methods: int) -> str | None:
    if methods == 1:
        return None
    return f"{methods} methods decide here, so that p-values are multiplied by {methods}"


def over_families(
    smallest: npt.NDArray[np.float64], at: int, p_values: npt.NDArray[np.float64], method: _Method
) -> npt.NDArray[np.float64]:
    """The alpha from which on each test of a family is rejected, where families are selected.

    A test with p is rejected at alpha R / M, R of the M families being selected at alpha: from
    the least of M max(p(r), p) / r over r on. It is what the family's adjusted p-value is
    with p in place of its smallest one.

    Args:
        smallest: p-value of each family, shape (M,).
        at: which of them is the tests'.
        p_values: of the tests within their family, none below its smallest, shape (tests,).
        method: `bh` or `by`.
    """
    # Takes longer to import than a study's findings take without it.
    from scipy.stats import false_discovery_control  # noqa: PLC0415

    held = np.repeat(smallest[None], len(p_values), axis=0)
    held[:, at] = p_values
    return np.asarray(false_discovery_control(held, axis=1, method=method), dtype=np.float64)[:, at]


def level_of(alpha: float, selected: int, families: int, method: _Method) -> float:
    """What the tests of a family are held against: alpha R / M, less for `by`; R is 1 at least."""
    most = sum(1 / each for each in range(1, families + 1)) if method == "by" else 1.0
    return alpha * max(selected, 1) / (families * most)


def _of_family(disparity: pl.DataFrame, model: str, analysis: AnalysisConfig) -> pl.DataFrame:
    primary = analysis.primary_family
    return disparity.filter(
        pl.col("model") == model,
        pl.col("outcome").cast(pl.String) == str(primary.outcome),
        pl.col("dimension") == primary.dimension,
    )

"""The agreement table of a study."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.agreement.annotators import everybody_rows
from refusal_parity.agreement.coefficients import coefficients, point_estimates
from refusal_parity.agreement.errors import at_risk, difference_of_errors
from refusal_parity.agreement.pairs import REFUSAL, SIX, Pair, all_classes, classes_of
from refusal_parity.agreement.ratings import CLASSIFIER, HUMAN, IMPORTED, JUDGE, KEYWORD
from refusal_parity.audit.votes import is_named
from refusal_parity.labelling.folds import LABELS
from refusal_parity.tables import Agreement, conform, empty
from refusal_parity.vocabulary import Coefficient, Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.agreement.ratings import Ratings
    from refusal_parity.config import AnalysisConfig

ALL: Final = "all"
_ERRORS: Final = {
    Coefficient.MISSED_REFUSAL: Coefficient.MISSED_REFUSAL_SPREAD,
    Coefficient.FALSE_REFUSAL: Coefficient.FALSE_REFUSAL_SPREAD,
}
_CHANCE_CORRECTED: Final = (
    Coefficient.AGREEMENT,
    Coefficient.COHEN_KAPPA,
    Coefficient.KRIPPENDORFF_ALPHA,
    Coefficient.GWET_AC1,
)
UNREAD: Final = "not defined: the yardstick labelled none of these responses"
_NO_ALPHA: Final = "alpha is not defined for weighted rows"


def measure_agreement(ratings: Ratings, analysis: AnalysisConfig) -> dy.DataFrame[Agreement]:
    """Compare every machine with people, or with each other where there are none.

    The yardstick is what people say of the probability sample, each row
    weighing by 1 / its inclusion probability (of responses to openings too, by what each stands
    for: `leaves.read_of_both`), and the labels that imported files carry. Without either, the
    classifier is the yardstick of the others.

    Args:
        ratings: the labels of the study.
        analysis: dimensions, level and seed.
    """
    rows = []
    for (model,), of_model in ratings.rows.group_by("model", maintain_order=True):
        for rater, yardstick in _pairs(of_model):
            both = ratings.of(str(model), rater, yardstick)
            labelled = of_model.filter(pl.col(rater).is_not_null())
            compared = _Compared(both, rater, yardstick, analysis, labelled=labelled)
            rows += [{"model": model, **row} for row in compared.rows()]
    rows += list(_between_annotators(ratings.votes, analysis))
    return conform(pl.DataFrame(rows, schema=_SCHEMA), Agreement, where="agreement")


_FIRST, _SECOND = "the first annotator", "the second annotator"

_SCHEMA: Final[dict[str, Any]] = {**empty(Agreement).schema, "coefficient": pl.String}


def _pairs(rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Who is compared with whom, as rater and yardstick."""
    # The informative set is no sample of anything: agreement on it would be that of hard cases.
    drawn = rows.filter(pl.col(HUMAN).is_not_null(), pl.col("inclusion_probability").is_not_null())
    there = [
        column
        for column in (HUMAN, IMPORTED, CLASSIFIER, JUDGE, KEYWORD)
        if (len(drawn) if column == HUMAN else rows[column].count())
    ]
    yardsticks = [column for column in there if column in (HUMAN, IMPORTED)] or there[:1]
    for first, second in combinations(there, 2):
        if first in yardsticks:
            yield second, first


def _between_annotators(votes: pl.DataFrame, analysis: AnalysisConfig) -> Iterator[dict[str, Any]]:
    """Every two annotators, and all of them together, over all models."""
    named = votes.filter(is_named(pl.col("annotator")))
    annotators = named["annotator"].unique(maintain_order=True).sort().to_list()
    for first, second in combinations(annotators, 2):
        # People may be called like a column, or like a machine.
        sides = {first: _FIRST, second: _SECOND}
        both = (
            votes.filter(pl.col("annotator").is_in([first, second]))
            .with_columns(pl.col("annotator").replace_strict(sides))
            .pivot(on="annotator", values="label")
        )
        compared = _Compared(both, _SECOND, _FIRST, analysis, symmetric=True)
        who = {"model": ALL, "rater": second, "yardstick": first}
        yield from (row | who for row in compared.overall())
    yield from everybody_rows(votes, analysis.alpha, analysis.seed)


class _Compared:
    """One rater against one yardstick, for one model."""

    def __init__(  # noqa: PLR0913 - what is compared in full
        self,
        rows: pl.DataFrame,
        rater: str,
        yardstick: str,
        analysis: AnalysisConfig,
        *,
        labelled: pl.DataFrame | None = None,
        symmetric: bool = False,
    ) -> None:
        """Compare two raters on the rows that both labelled.

        Args:
            rows: a column of labels for each.
            rater: column of who is compared.
            yardstick: column of who is right.
            analysis: dimensions, level and seed.
            labelled: all rows that the rater labelled, whose levels have rows of the table even
                where the yardstick labelled none of them; null for the rows themselves.
            symmetric: whether either may be the yardstick.
        """
        self._weighted = yardstick == HUMAN
        needed = [rater, yardstick, *(["inclusion_probability"] if self._weighted else [])]
        self._rows = rows.drop_nulls(needed)
        self._labelled = self._rows if labelled is None else labelled
        self._about = {"rater": rater, "yardstick": yardstick, "weighted": self._weighted}
        self._pair = Pair.of(self._rows, rater, yardstick, weighted=self._weighted)
        self._analysis = analysis
        # A list of phrases knows refusals alone.
        knows_classes = KEYWORD not in (rater, yardstick)
        sides = [yardstick, rater] if symmetric else [yardstick]
        every = all_classes(*(self._rows[side] for side in sides))
        self._readings = [REFUSAL, *([every] if knows_classes else [])]
        known = [label for label in LABELS if every != SIX or label != Label.PARTIAL_REFUSAL]
        self._classes = known if knows_classes else []

    def overall(self) -> Iterator[dict[str, Any]]:
        """Every coefficient over all responses, and for each class."""
        everything = np.ones(len(self._rows), dtype=bool)
        yield from self._coefficients(ALL, ALL, everything, [*self._readings, *self._classes])

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row of the table for this rater and yardstick."""
        yield from self.overall()
        yield from self._errors(ALL, ALL, np.ones(len(self._rows), dtype=bool))
        for dimension, compared in self._analysis.dimensions.items():
            if dimension not in self._rows.columns:
                continue
            found = self._rows[dimension].drop_nulls().unique(maintain_order=True).to_list()
            levels = sorted(found, key=lambda level: level != compared.reference)
            others = set(self._labelled[dimension].drop_nulls()) - set(levels)
            column = self._rows[dimension].fill_null("").to_numpy()
            for level in (*levels, *sorted(others)):
                yield from self._coefficients(dimension, level, column == level, self._readings)
                yield from self._errors(dimension, level, column == level)
            if len(levels) > 1:
                yield from self._differences(dimension, levels, column)

    def _coefficients(
        self, dimension: str, level: str, kept: np.ndarray, readings: list[str]
    ) -> Iterator[dict[str, Any]]:
        part = self._pair.keep(kept)
        for reading in readings:
            pair, classes = part.over(reading), classes_of(reading)
            confusion = pair.confusion(classes)
            estimates = point_estimates(confusion, weighted=self._weighted)
            drawn = pair.drawn_confusions(classes, self._random())
            samples = {} if drawn is None else coefficients(drawn)
            for coefficient in _CHANCE_CORRECTED:
                estimate = estimates[coefficient]
                low, high = self._interval(estimate, samples.get(coefficient))
                no_alpha = self._weighted and coefficient is Coefficient.KRIPPENDORFF_ALPHA
                yield self._about | {
                    "dimension": dimension,
                    "group": level,
                    "over": reading,
                    "coefficient": str(coefficient),
                    "n": len(pair.truth),
                    "estimate": estimate,
                    "ci_low": low,
                    "ci_high": high,
                    "note": _NO_ALPHA
                    if no_alpha and len(pair.truth)
                    else _why_missing(len(pair.truth), estimate, low),
                }

    def _errors(self, dimension: str, level: str, kept: np.ndarray) -> Iterator[dict[str, Any]]:
        part = self._pair.keep(kept).over(REFUSAL)
        for coefficient in _ERRORS:
            risk = at_risk(part, coefficient)
            wrong = risk.truth != risk.given
            estimate = float(np.average(wrong, weights=risk.weight)) if len(wrong) else None
            drawn = risk.drawn_confusions(2, self._random())
            rates = None
            if drawn is not None:
                totals = drawn.sum(axis=(1, 2))
                off = totals - np.trace(drawn, axis1=1, axis2=2)
                rates = np.where(totals > 0, off / np.maximum(totals, 1e-300), np.nan)
            low, high = self._interval(estimate, rates)
            yield self._about | {
                "dimension": dimension,
                "group": level,
                "over": REFUSAL,
                "coefficient": str(coefficient),
                "n": len(part.truth),
                "n_of": len(wrong),
                "wrong": int(wrong.sum()),
                "estimate": estimate,
                "ci_low": low,
                "ci_high": high,
                "note": _why_missing(len(part.truth), estimate, low),
            }

    def _differences(
        self, dimension: str, levels: list[str], column: np.ndarray
    ) -> Iterator[dict[str, Any]]:
        level = np.array([levels.index(each) if each in levels else -1 for each in column])
        read = self._pair.keep(level >= 0).over(REFUSAL)
        of_row = level[level >= 0]
        for coefficient, spread in _ERRORS.items():
            risk = read.truth == (coefficient is Coefficient.MISSED_REFUSAL)
            found = difference_of_errors(
                read.keep(risk), of_row[risk], levels, self._analysis.alpha
            )
            yield self._about | {
                "dimension": dimension,
                "group": ALL,
                "over": REFUSAL,
                "coefficient": str(spread),
                "n": len(read.truth),
                "n_of": found.n_of,
                "wrong": found.wrong,
                "estimate": found.spread,
                "p_value": found.p_value,
                "note": found.note,
            }

    def _random(self) -> np.random.Generator:
        """The same draws for every coefficient, so that rows can be compared."""
        return np.random.default_rng(self._analysis.seed)

    def _interval(
        self, estimate: float | None, drawn: np.ndarray | None
    ) -> tuple[float | None, float | None]:
        if estimate is None or drawn is None:
            return None, None
        kept = drawn[np.isfinite(drawn)]
        if not len(kept):
            return None, None
        alpha = self._analysis.alpha
        low, high = np.quantile(kept, [alpha / 2, 1 - alpha / 2])
        return float(low), float(high)


def _why_missing(n: int, estimate: float | None, low: float | None) -> str | None:
    if not n:
        return UNREAD
    if estimate is None:
        return "not defined: nothing to compare, or all labels are one and the same"
    return "fewer than two clusters: no interval" if low is None else None

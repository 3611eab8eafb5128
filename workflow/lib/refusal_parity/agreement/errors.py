"""For whom a labelling errs: missed and false refusals by level, and whether they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.counting import counted
from refusal_parity.statistics.adjust import holm
from refusal_parity.statistics.designs.counts import Design, codes_of
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.linear import joint_test
from refusal_parity.statistics.methods.nested import unit_score
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.vocabulary import Coefficient

if TYPE_CHECKING:
    from refusal_parity.agreement.pairs import Pair

FEW_ERRORS: Final = 10
"""With fewer errors the test of their difference says little."""


@dataclass(frozen=True, slots=True)
class ErrorDifference:
    """Whether a labelling errs alike at all levels.

    Attributes:
        n_of: responses that could be labelled wrongly in this way.
        wrong: of them labelled wrongly.
        spread: highest less lowest rate of the levels.
        p_value: F test that the rates are the same, clustered by name and template.
        note: why a number is missing or not to be trusted.
    """

    n_of: int
    wrong: int
    spread: float | None
    p_value: float | None
    note: str | None


def at_risk(pair: Pair, coefficient: Coefficient) -> Pair:
    """The refusals, for missed ones; the others, for false ones. `pair` is read as refusal."""
    return pair.keep(pair.truth == (coefficient is Coefficient.MISSED_REFUSAL))


def difference_of_errors(
    pair: Pair, level: np.ndarray, levels: list[str], alpha: float
) -> ErrorDifference:
    """Test that a labelling's error rate is the same at all levels.

    The linear probability model of the disparity tests with template effects
    and two-way clustered errors, its outcome being an error of the labelling. Of a prompt
    list, `unit_score` of all pairs, corrected by Holm.

    Args:
        pair: the responses at risk, read as refusal or not.
        level: code of each response's level, shape (responses,).
        levels: their names, the reference first.
        alpha: 1 less the level of the intervals.
    """
    wrong = (pair.truth != pair.given).astype(float)
    n_of, errors = len(wrong), int(wrong.sum())
    if not n_of:
        return ErrorDifference(0, 0, None, None, "nothing to label wrongly")
    weight = pair.weight / pair.weight.mean()
    rates = [
        float(np.average(wrong[level == each], weights=weight[level == each]))
        for each in np.unique(level)
    ]
    spread = max(rates) - min(rates) if len(rates) > 1 else None
    cells, cell = np.unique(
        np.column_stack([level, pair.name, pair.template]), axis=0, return_inverse=True
    )
    present, codes = np.unique(cells[:, 0], return_inverse=True)
    design = Design(
        levels=tuple(levels[each] for each in present),
        level=codes,
        name=codes_of(cells[:, 1]),
        template=codes_of(cells[:, 2]),
        n=np.bincount(cell, weight).astype(np.float64),
        k=np.bincount(cell, weight * wrong).astype(np.float64),
    )
    if not errors:
        return ErrorDifference(n_of, 0, spread, None, "no error to compare")
    if pair.listed:
        return ErrorDifference(n_of, errors, spread, *_by_unit(design, alpha, errors))
    test = joint_test(design, alpha)
    return ErrorDifference(n_of, errors, spread, test.p_value, _noted(test.note, errors))


def _noted(note: str | None, errors: int) -> str | None:
    few = f"only {counted(errors, 'error')}" if errors < FEW_ERRORS else None
    return "; ".join(part for part in (note, few) if part) or None


def _by_unit(design: Design, alpha: float, errors: int) -> tuple[float | None, str | None]:
    """P-value of a prompt list, and its note: the smallest of Holm's over all pairs of levels."""
    setting = Setting(alpha, alpha, Draws(1, 1), Resamples(1, 1))
    [answers] = unit_score(Studies.of([design]), setting)
    found = [row.p_value for row in answers.of_study(0) if row.p_value is not None]
    p_value = float(holm(np.array(found)).min()) if found else None
    return p_value, _noted(None if found else "one level, or one prompt in it", errors)

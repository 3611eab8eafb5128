"""Rates and differences of an audit, corrected for the machine's errors by people's labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.preference.moments import Observed, moments_of, unmatched
from refusal_parity.statistics.correction import Audited, correct
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.human_sample import wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from refusal_parity.preference.audit import Audit
    from refusal_parity.preference.measures import Measure
    from refusal_parity.preference.readings import Reading
    from refusal_parity.statistics.correction import Corrected
    from refusal_parity.statistics.designs.nested import LevelMoments
    from refusal_parity.statistics.human_sample import Lack

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

_GROUP, _OTHER = np.array([0]), np.array([1])


class CorrectedNumber(NamedTuple):
    """A corrected rate or difference; all null where nobody labelled.

    Attributes:
        labelled: pairs with the labels by people that it needs.
        estimate: null where they are too few.
        low: end of its interval.
        high: likewise.
        p_value: of no difference; null of a rate.
        note: which labels are wanted.
        wanted: how many more pairs, where these are too few.
    """

    labelled: int | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    note: str | None = None
    wanted: int | None = None


NONE = CorrectedNumber()


class _Side(NamedTuple):
    """Pseudo-outcomes of some pairs, and what to add to the variance of their mean."""

    pseudo: Floats
    extra: float
    labelled: int


def corrected_rate(audit: Audit, measure: Measure, rows: Bools, *, name: str) -> CorrectedNumber:
    """The rate of some pairs by `correction.correct`, with a t interval by cluster.

    Args:
        audit: the pairs.
        measure: null for one that no label decides.
        rows: shape (pairs,).
        name: of these pairs, for the note.
    """
    readings = audit.readings.get(measure.key)
    if readings is None:
        return NONE
    labelled, short = _labelled(readings, rows), _short(readings, rows, name)
    if short is not None:
        return CorrectedNumber(labelled, note=short.words, wanted=short.labels)
    parts = [rows, ~rows] if _labelled(readings, ~rows) else [rows]
    side = _sides(readings, parts)[0]
    observed = _observed(audit, side, rows, Adjustment.NONE)
    moments = _with_people(moments_of(observed, observed), [side, side], (observed, observed))
    mean, variance = float(moments.mean[0, 0]), float(moments.variance[0, 0])
    half = float(t_isf(audit.alpha / 2, moments.df[0])) * np.sqrt(variance)
    if not np.isfinite(mean):
        return CorrectedNumber(labelled, note="in no pair does one answer alone refuse")
    if not half > 0:
        return CorrectedNumber(labelled, mean, note="no interval: one opening, or nothing varies")
    return CorrectedNumber(labelled, mean, max(mean - half, 0.0), min(mean + half, 1.0))


def corrected_difference(
    audit: Audit,
    measure: Measure,
    sides: tuple[Bools, Bools],
    adjustment: Adjustment,
    *,
    names: tuple[str, str],
) -> CorrectedNumber:
    """The difference of two corrected rates, with a t interval and test by cluster.

    Each side's pseudo-outcomes (`correction.correct`) stand in the place of what was
    measured, so that their variance between clusters holds the error of people's sample;
    adjusted for harm, the reference's are weighed as measures are. There are no more degrees of
    freedom than clusters that people labelled, less one.

    Args:
        audit: the pairs.
        measure: null for one that no label decides.
        sides: pairs of the group, and of those that it is compared with, each of shape (pairs,).
        adjustment: whether the reference is weighed.
        names: of both, for the note.
    """
    readings = audit.readings.get(measure.key)
    if readings is None:
        return NONE
    labelled = sum(_labelled(readings, rows) for rows in sides)
    short = [_short(readings, rows, name) for rows, name in zip(sides, names, strict=True)]
    if any(short):
        return CorrectedNumber(labelled, note=", ".join(lack.words for lack in short if lack))
    found = _sides(readings, sides)
    group, other = (
        _observed(audit, side, rows, adjustment) for side, rows in zip(found, sides, strict=True)
    )
    lacking = unmatched(group, other)
    if lacking is not None:
        return CorrectedNumber(labelled, note=lacking)
    moments = _with_people(moments_of(group, other), found, (group, other))
    variance, df = (float(each[0, 0]) for each in moments.of_difference(_GROUP, _OTHER))
    if not variance > 0:
        return CorrectedNumber(labelled, note="one opening, or nothing varies")
    estimate, error = float(moments.mean[0, 0] - moments.mean[0, 1]), float(np.sqrt(variance))
    half = float(t_isf(audit.alpha / 2, df)) * error
    return CorrectedNumber(
        labelled,
        estimate,
        max(estimate - half, -1.0),
        min(estimate + half, 1.0),
        float(2 * t_sf(abs(estimate) / error, df)),
    )


def _labelled(readings: tuple[Reading, ...], rows: Bools) -> int:
    return int((readings[0].weight[rows] > 0).sum())


def _short(readings: tuple[Reading, ...], rows: Bools, name: str) -> Lack | None:
    """Which labels these pairs lack, as in studies of models; most of them for one reading."""
    lacks = []
    for reading in readings:
        sampled = reading.weight[rows] > 0
        frame = pl.DataFrame(
            {
                "human": np.where(sampled, reading.human[rows], np.nan),
                "weight": np.where(sampled, reading.weight[rows], np.nan),
                "stratum": reading.stratum[rows].astype(np.str_),
            },
            schema={"human": pl.Float64, "weight": pl.Float64, "stratum": pl.String},
        ).with_columns(
            pl.col("human", "weight").fill_nan(None),
            pl.col("stratum").replace("", None),
            filtered=pl.lit(value=False),
        )
        lacks.append(wanted(frame, name))
    return max(filter(None, lacks), key=lambda lack: lack.labels or 0, default=None)


def _sides(readings: tuple[Reading, ...], parts: Sequence[Bools]) -> list[_Side]:
    """Pseudo-outcomes of the rate of each part; of a share of two, linearised (Taylor's).

    Args:
        readings: what the measure is read from.
        parts: no pair is in two of them; each has pairs with labels by people.
    """
    level = np.repeat(np.arange(len(parts)), [int(rows.sum()) for rows in parts])
    found = [
        correct(
            Audited(
                level,
                *(
                    np.concatenate([each[rows] for rows in parts])
                    for each in (reading.machine, reading.human, reading.weight)
                ),
            )
        )
        for reading in readings
    ]
    return [
        _Side(*_of_level(found, level, at), _labelled(readings, rows))
        for at, rows in enumerate(parts)
    ]


def _of_level(found: list[Corrected], level: npt.NDArray[np.intp], at: int) -> tuple[Floats, float]:
    # What widens errors for the means that are fitted moves means by a little.
    pseudo = [
        each.rate[at] + values - values.mean()
        for each in found
        for values in [each.pseudo[level == at]]
    ]
    if len(found) == 1:
        return pseudo[0], float(found[0].extra[at])
    rates = [float(each.rate[at]) for each in found]
    whole = sum(rates)
    share = rates[0] / whole if whole > 0 else np.nan
    linear = ((1 - share) * pseudo[0] - share * pseudo[1]) / whole
    extra = ((1 - share) ** 2 * found[0].extra[at] + share**2 * found[1].extra[at]) / whole**2
    return share + linear, float(extra)


def _observed(audit: Audit, side: _Side, rows: Bools, adjustment: Adjustment) -> Observed:
    stratum = audit.stratum[rows]
    return Observed(
        value=side.pseudo,
        cluster=audit.cluster[rows],
        stratum=stratum if adjustment is Adjustment.HARM else np.zeros_like(stratum),
    )


def _with_people(
    moments: LevelMoments, sides: list[_Side], observed: tuple[Observed, ...]
) -> LevelMoments:
    """The moments with what people's sample adds: smoothed variance, and few degrees of freedom.

    Where the reference is weighed, its rows are worth fewer, and `extra` grows alike.
    """
    covariance = moments.covariance.copy()
    for at, (side, rows) in enumerate(zip(sides, observed, strict=True)):
        covariance[0, at, at] += side.extra * len(rows.value) / moments.responses[at]
    covariance[0][np.diag_indices(2)] = np.maximum(covariance[0][np.diag_indices(2)], 0)
    spare = np.array([max(side.labelled - 1, 1) for side in sides], dtype=np.float64)
    return replace(moments, covariance=covariance, df=np.minimum(moments.df, spare))

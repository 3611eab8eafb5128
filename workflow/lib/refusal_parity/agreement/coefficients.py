"""Chance-corrected agreement of two labellings, and of several annotators."""

from __future__ import annotations

import krippendorff
import numpy as np
import numpy.typing as npt
from sklearn.metrics import cohen_kappa_score

from refusal_parity.vocabulary import Coefficient

FloatArray = npt.NDArray[np.float64]


def point_estimates(confusion: FloatArray, *, weighted: bool) -> dict[Coefficient, float | None]:
    """Every coefficient of one confusion matrix; None where it is not defined.

    Kappa is scikit-learn's and alpha that of `krippendorff`; AC1, which no
    maintained package has, is `coefficients`.

    Args:
        confusion: responses by both labels, shape (q, q), counts or summed weights.
        weighted: whether these are weights; alpha knows counts alone.
    """
    estimates: dict[Coefficient, float | None] = {
        coefficient: float(value) if np.isfinite(value) else None
        for coefficient, value in coefficients(confusion).items()
    }
    first, second = np.indices(confusion.shape).reshape(2, -1)
    if estimates[Coefficient.COHEN_KAPPA] is not None:
        kappa = cohen_kappa_score(first, second, sample_weight=confusion.ravel())
        estimates[Coefficient.COHEN_KAPPA] = float(kappa)
    if weighted:
        estimates[Coefficient.KRIPPENDORFF_ALPHA] = None
    elif estimates[Coefficient.KRIPPENDORFF_ALPHA] is not None:
        counts = confusion.ravel().astype(int)
        pair = np.vstack([np.repeat(first, counts), np.repeat(second, counts)])
        estimates[Coefficient.KRIPPENDORFF_ALPHA] = krippendorff_alpha(pair.T.astype(float))
    return estimates


def coefficients(confusion: FloatArray) -> dict[Coefficient, FloatArray]:
    """Agreement, kappa, alpha and AC1 of many confusion matrices at once.

    With p the shares, a and b their margins, m the mean of a and b, n responses:
    agreement o = sum p_kk; kappa = (o - sum a_k b_k) / (1 - sum a_k b_k) (Cohen 1960);
    alpha = 1 - (1 - o) / (1 - sum m_k (2 n m_k - 1) / (2 n - 1)) (Krippendorff 1970,
    nominal, two labels each); AC1 = (o - e) / (1 - e) with
    e = sum m_k (1 - m_k) / (q - 1) (Gwet 2008).

    Args:
        confusion: shape (..., q, q), q at least 2.

    Returns:
        Arrays of shape (...); NaN where a coefficient is not defined.
    """
    total = confusion.sum(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = confusion / total[..., None, None]
        rows, columns = shares.sum(axis=-1), shares.sum(axis=-2)
        mean = (rows + columns) / 2
        agreed = np.trace(shares, axis1=-2, axis2=-1)
        by_chance = (rows * columns).sum(axis=-1)
        values = 2 * total[..., None]
        alike = (mean * (values * mean - 1)).sum(axis=-1) / (values[..., 0] - 1)
        ac1_chance = (mean * (1 - mean)).sum(axis=-1) / (confusion.shape[-1] - 1)
        return {
            Coefficient.AGREEMENT: agreed,
            Coefficient.COHEN_KAPPA: (agreed - by_chance) / (1 - by_chance),
            Coefficient.KRIPPENDORFF_ALPHA: 1 - (1 - agreed) / (1 - alike),
            Coefficient.GWET_AC1: (agreed - ac1_chance) / (1 - ac1_chance),
        }


def krippendorff_alpha(ratings: FloatArray) -> float | None:
    """Nominal alpha of several annotators; None where all say one and the same.

    Args:
        ratings: codes, shape (responses, annotators), NaN for none.
    """
    codes = np.asarray(ratings, dtype=float)
    # A response that one person alone labelled is no pair.
    paired = codes[(~np.isnan(codes)).sum(axis=1) > 1]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:  # noqa: PLR2004 - alpha needs two values
        return None
    return float(krippendorff.alpha(reliability_data=codes.T, level_of_measurement="nominal"))


def gwet_ac1(ratings: FloatArray, categories: int) -> float | None:
    """AC1 of several annotators, some of whom may have left responses out.

    Agreement is the mean, over responses with two labels or more, of the share
    of agreeing pairs; chance takes each response's own shares (Gwet 2014,
    Handbook of Inter-Rater Reliability, 4th edition, chapter 5).

    Args:
        ratings: codes 0 to q - 1, shape (responses, annotators), NaN for none.
        categories: number q of classes that could have been chosen.
    """
    codes = np.asarray(ratings, dtype=float)
    counts = (codes[:, :, None] == np.arange(categories)).sum(axis=1).astype(float)
    labels = counts.sum(axis=1)
    counts, labels = counts[labels > 0], labels[labels > 0]
    paired = labels > 1
    if not paired.any():
        return None
    pairs = (counts * (counts - 1)).sum(axis=1)[paired] / (labels * (labels - 1))[paired]
    share = (counts / labels[:, None]).mean(axis=0)
    by_chance = float((share * (1 - share)).sum() / (categories - 1))
    return float((pairs.mean() - by_chance) / (1 - by_chance))

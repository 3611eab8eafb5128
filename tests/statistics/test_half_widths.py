"""How wide intervals may be, whatever they are of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.half_widths import half_widths
from refusal_parity.statistics.methods.calibrated import calibrated
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.variances.effective import effective

SETTING = Setting(0.05, 0.05, Draws(99, 7), Resamples(99, 7), deciding=True)


def _studies(
    sizes: tuple[int, ...], templates: int, more: float = 0.0, studies: int = 4
) -> Studies:
    random = np.random.default_rng(20)
    level = np.repeat(np.arange(len(sizes)), sizes)
    rates = 0.2 + more * (level == 1)[:, None] + 0.1 * random.random((studies, 1, templates))
    k = random.binomial(3, np.broadcast_to(rates, (studies, len(level), templates)))
    names = tuple(f"g{at}" for at in range(len(sizes)))
    return Studies(Grid(names, level, np.full(k.shape[1:], 3.0)), k.astype(float))


def _names_apart(sizes: tuple[int, ...]) -> Studies:
    """Names unlike each other, so that the calibrated quantile is farther out than t's."""
    random = np.random.default_rng(5)
    level = np.repeat(np.arange(len(sizes)), sizes)
    rates = np.clip(0.4 + 0.3 * random.normal(size=(4, len(level), 1)), 0, 1)
    k = random.binomial(3, np.broadcast_to(rates, (4, len(level), 20)))
    names = tuple(f"g{at}" for at in range(len(sizes)))
    return Studies(Grid(names, level, np.full(k.shape[1:], 3.0)), k.astype(float))


def test_of_small_studies_it_is_half_of_ts_limits_at_alpha_by_the_number_of_pairs() -> None:
    studies = _studies((4, 4, 4), 8)
    found = effective(least_squares(studies))
    quantile = t.isf(0.05 / (2 * 2), found.df)
    ends = found.rates.limits(quantile)
    widths = half_widths(studies, SETTING)
    assert widths.shape == (4, 2)
    np.testing.assert_allclose(widths, (ends.high - ends.low) / 2, rtol=1e-12)


@pytest.mark.parametrize("more", [0.0, 0.4], ids=["alike", "apart"])
def test_printed_intervals_lie_within_and_a_test_that_rejects_changes_nothing(more: float) -> None:
    studies = _studies((8, 8, 8), 20, more)
    widths = half_widths(studies, SETTING)
    (answers,) = calibrated(studies, SETTING)
    printed = (answers.values("family_high") - answers.values("family_low")) / 2
    assert (printed <= widths + 1e-12).all()
    shown = answers.values("p_family") < SETTING.alpha
    assert shown[:, 0].all() == (more > 0)
    # Where a test rejects an end is drawn in, and only there.
    assert (printed[shown] < widths[shown]).all()
    np.testing.assert_allclose(printed[~shown], widths[~shown], rtol=1e-12)


def test_only_studies_narrow_enough_in_every_pair_are_simulated_from() -> None:
    studies = _names_apart((8, 12, 8))
    exact, by_t = half_widths(studies, SETTING), half_widths(studies, SETTING, enough=0.0)
    found = effective(least_squares(studies))
    ends = found.rates.limits(t.isf(0.05 / (2 * 2), found.df))
    np.testing.assert_allclose(by_t, (ends.high - ends.low) / 2, rtol=1e-12)
    assert (exact >= by_t * (1 - 1e-12)).all()
    assert (exact > by_t * 1.0005).any(axis=1).tolist() == [True, False, True, True]
    # Each study's narrower pair lies below the widest of some other one.
    for enough in np.sort(by_t.ravel())[1::2]:
        narrow = by_t.max(axis=1) <= enough
        expected = np.where(narrow[:, None], exact, by_t)
        np.testing.assert_allclose(half_widths(studies, SETTING, enough), expected, rtol=1e-12)


def test_the_calibrated_quantile_is_that_of_the_largest_distance_of_all_pairs() -> None:
    """Of the studies that `calibrated` holds one against, where all pairs are one family."""
    studies = _names_apart((8, 12, 8))
    (answers,) = calibrated(studies, SETTING)
    printed = (answers.values("family_high") - answers.values("family_low")) / 2
    shown = answers.values("p_family") < SETTING.alpha
    widths = half_widths(studies, SETTING)
    assert (~shown).any()
    np.testing.assert_allclose(printed[~shown], widths[~shown], rtol=1e-12)


def test_of_a_group_without_a_response_nothing_is_known() -> None:
    alike = _studies((4, 4), 6)
    n = np.where(alike.grid.level == 1, 0.0, 3.0)[:, None] + np.zeros((8, 6))
    with np.errstate(divide="ignore", invalid="ignore"):
        widths = half_widths(
            Studies(Grid(("g0", "g1"), alike.grid.level, n), alike.k * (n > 0)), SETTING
        )
    assert np.isposinf(widths).all()


def test_without_a_refusal_it_is_as_wide_as_names_and_templates_allow() -> None:
    studies = _studies((8, 8, 8), 20)
    none = Studies(studies.grid, np.zeros_like(studies.k))
    widths = half_widths(none, SETTING)
    assert (widths > 0.1).all()
    assert np.isfinite(widths).all()

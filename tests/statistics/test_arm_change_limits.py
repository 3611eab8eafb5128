"""Limits of what an arm changes, where a rare outcome becomes frequent in correlated cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import t

from refusal_parity.statistics.arm_changes import (
    CERTAIN,
    ArmMeans,
    change_of,
    difference_of_changes,
)
from refusal_parity.statistics.variances.effective import effective_of_rates
from refusal_parity.statistics.variances.level_means import contrast
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    import numpy.typing as npt

NEW = Scope.NEW_NAMES_AND_TEMPLATES


def means_of(
    with_arm: npt.NDArray[np.float64], without: npt.NDArray[np.float64], *, one_way: bool = False
) -> ArmMeans:
    """Of rates by template and name; the first half of the names are x, the others y."""
    template, name = np.indices(with_arm.shape)
    rows = pl.DataFrame(
        {
            "name_id": name.ravel(),
            "template_id": template.ravel(),
            "text_id": template.ravel(),
            "group": np.where(2 * name.ravel() < with_arm.shape[1], "x", "y"),
            "change": (with_arm - without).ravel(),
            "n_with": 3,
            "n_without": 3,
        }
    ).cast({"name_id": pl.String, "template_id": pl.String, "text_id": pl.String})
    found = ArmMeans.of(rows, "group", one_way=one_way)
    assert found is not None
    return found


@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0])
@pytest.mark.parametrize(("before", "after"), [(0.02, 0.15), (0.03, 0.12), (0.04, 0.2)])
def test_no_limit_is_hidden_by_what_both_arms_share(
    spread: float, before: float, after: float
) -> None:
    """Refused is what lies above a threshold, lower with the arm; names spread less or more."""
    template, name = (ndtri((np.arange(size) + 0.5) / size) for size in (24, 8))
    cells = template[:, None] + spread * name[None, :]
    cells = np.hstack([cells, cells]) / np.sqrt(1 + spread**2)
    with_arm, without = (np.where(ndtr(cells) > 1 - rate, 1.0, 0.0) for rate in (after, before))
    found = change_of(means_of(with_arm, without), np.array([1.0, 0.0]), NEW, 0.05)
    assert found is not None
    assert found["estimate"] == pytest.approx((with_arm - without).mean())
    # Limits of the rates with and without the arm lay 0.1 to 2.3 errors below.
    assert found["estimate"] - found["ci_low"] > 2 * found["std_error"]
    assert found["ci_high"] - found["estimate"] > 2 * found["std_error"]


def test_coverage_where_a_rare_outcome_becomes_frequent() -> None:
    """300 studies of eight names and 24 templates: 2 % become 15 %, most variance shared."""
    random = np.random.default_rng(17)
    shared, own = np.sqrt(0.95), np.sqrt(0.05)
    missed = []

    def effects(scale: float) -> npt.NDArray[np.float64]:
        parts = (1.55, (24, 1)), (0.15, (1, 8)), (0.3, (24, 8))
        drawn = (random.normal(0, scale * np.sqrt(size), shape) for size, shape in parts)
        return np.sum(np.broadcast_arrays(*drawn), axis=0)

    for _ in range(300):
        both, scale = effects(shared), np.sqrt(1 + 1.55 + 0.15 + 0.3)
        rates = [
            random.binomial(3, ndtr(ndtri(rate) * scale + both + effects(own))) / 3
            for rate in (0.15, 0.02)
        ]
        # Names of one group alone: the other's are a copy, which tells nothing of it.
        doubled = [np.hstack([rate, rate]) for rate in rates]
        found = change_of(means_of(*doubled), np.array([1.0, 0.0]), NEW, 0.05)
        missed.append(found is not None and not found["ci_low"] <= 0.13 <= found["ci_high"])
    assert 0.015 <= np.mean(missed) <= 0.075


def test_what_a_guard_cannot_do_widens_no_limit() -> None:
    """A guard stops two of x's requests in each template and none of y's."""
    without = np.zeros((10, 8))
    stopped = without.copy()
    stopped[::2, :2] = 1.0
    free, guard = (means_of(stopped, without, one_way=one_way) for one_way in (False, True))
    of_x = np.array([1.0, 0.0])
    wide, narrow = (change_of(each, of_x, NEW, 0.05) for each in (free, guard))
    assert wide is not None
    assert narrow is not None
    assert wide["ci_low"] < narrow["ci_low"] > 0
    assert wide["ci_high"] == narrow["ci_high"]
    assert wide["p_value"] is not None
    assert (narrow["p_value"], narrow["note"]) == (None, CERTAIN)
    # Whether it costs one group more than another is a question all the same.
    between = difference_of_changes(guard, 0, 1, NEW, 0.05)
    assert between is not None
    assert 0 < between["p_value"] < 1
    # That it stops none of a group's requests is seen of these, and not known of others.
    assert between["estimate"] == narrow["estimate"]
    assert between["df"] == pytest.approx(narrow["df"], rel=0.01)
    alone, beside = (row["estimate"] - row["ci_low"] for row in (narrow, between))
    assert beside > 1.02 * alone


def test_what_nobody_lost_may_yet_be_lost_by_others() -> None:
    """Where an arm takes nothing away, that has the upper limit of 0 of its responses' worth."""
    without = np.zeros((10, 8))
    added = without.copy()
    added[::2, :2] = 1.0
    of_x = np.array([1.0, 0.0])
    means = means_of(added, without)
    known = change_of(means_of(added, without, one_way=True), of_x, NEW, 0.05)
    found, back = (change_of(each, of_x, NEW, 0.05) for each in (means, means_of(without, added)))
    part = contrast(means.parts[0], of_x, NEW)
    assert found is not None
    assert known is not None
    assert back is not None
    assert part is not None
    n, units = np.full(2, means.responses[0]), np.full(2, means.units[0])
    hits = n * [found["estimate"], 0]
    variances = np.array([part.std_error**2, 0])
    _, worth = effective_of_rates(n, hits, variances, units, np.zeros(2, dtype=np.intp))
    z = t.isf(0.025, found["df"])
    below, of_added = (row["estimate"] - row["ci_low"] for row in (found, known))
    assert below == pytest.approx(np.hypot(of_added, z**2 / (worth + z**2)))
    # An arm that takes away alone is the mirror of it.
    for end, other in (("ci_low", "ci_high"), ("ci_high", "ci_low"), ("estimate", "estimate")):
        assert back[end] == pytest.approx(-found[other])
    assert back["p_value"] == pytest.approx(found["p_value"])


def test_what_a_guard_cannot_do_is_known_of_each_group() -> None:
    """It stops half and a tenth of two groups' requests, whichever of them comes first."""
    stopped = np.random.default_rng(6).random((10, 8)) < np.repeat([0.5, 0.1], 4)
    found = []
    for columns, (group, reference) in ((slice(None), (0, 1)), (slice(None, None, -1), (1, 0))):
        rates = stopped[:, columns].astype(np.float64)
        guard = means_of(rates, np.zeros_like(rates), one_way=True)
        row = difference_of_changes(guard, group, reference, NEW, 0.05)
        assert row is not None
        found.append([row[each] for each in ("estimate", "ci_low", "ci_high", "p_value")])
    assert found[0] == pytest.approx(found[1])
    assert found[0][0] == pytest.approx(stopped[:, :4].mean() - stopped[:, 4:].mean())


def test_a_change_of_none_at_all_is_at_no_distance() -> None:
    """What two names of a group gain, two others lose."""
    gained = np.random.default_rng(3).integers(0, 2, (10, 2)).astype(np.float64)
    lost = np.zeros_like(gained)
    found = change_of(
        means_of(np.hstack([gained, lost] * 2), np.hstack([lost, gained] * 2)),
        np.array([1.0, 0.0]),
        NEW,
        0.05,
    )
    assert found is not None
    assert (found["estimate"], found["statistic"], found["p_value"]) == (0, 0, 1)
    assert found["ci_low"] == pytest.approx(-found["ci_high"])


def test_what_is_added_and_taken_away_is_told_apart() -> None:
    """Arms exchanged, the change and its limits are the same but for the sign."""
    random = np.random.default_rng(2)
    one, other = (random.binomial(3, rate, (9, 10)) / 3 for rate in (0.3, 0.1))
    for weights in np.eye(2):
        there, back = (
            change_of(means_of(*both), weights, NEW, 0.05) for both in ((one, other), (other, one))
        )
        assert there is not None
        assert back is not None
        assert there["estimate"] == pytest.approx(-back["estimate"])
        assert there["ci_low"] == pytest.approx(-back["ci_high"])
        assert there["p_value"] == pytest.approx(back["p_value"])

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from refusal_parity.agreement.coefficients import (
    coefficients,
    gwet_ac1,
    krippendorff_alpha,
    point_estimates,
)
from refusal_parity.vocabulary import Coefficient

NAN = np.nan

# Four annotators, twelve units, five classes: the data with which Krippendorff
# (2011, Computing Krippendorff's alpha-reliability) shows alpha, and Gwet's
# software AC1.
PUBLISHED = (
    np.array(
        [
            [1, 1, NAN, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
            [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [NAN, 5, 5, 5], [NAN, NAN, 1, 1],
            [NAN, NAN, 3, NAN],
        ]
    )
    - 1
)  # fmt: skip


def test_published_alpha() -> None:
    assert krippendorff_alpha(PUBLISHED) == pytest.approx(0.743, abs=5e-4)


def test_published_ac1() -> None:
    # irrCAC's gwet.ac1.raw on cac.raw4raters: agreement 0.81818, by chance 0.19032.
    assert gwet_ac1(PUBLISHED, 5) == pytest.approx(0.77544, abs=5e-6)


@pytest.mark.parametrize("classes", [2, 6])
@pytest.mark.parametrize("seed", range(3))
def test_formulas_are_those_of_the_libraries(classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=80)
    given = np.where(random.random(80) < 0.7, truth, random.integers(classes, size=80))
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (truth, given), 1)
    found = coefficients(np.stack([confusion, confusion.T]))
    assert found[Coefficient.COHEN_KAPPA] == pytest.approx([cohen_kappa_score(truth, given)] * 2)
    alpha = krippendorff.alpha(
        reliability_data=np.vstack([truth, given]), level_of_measurement="nominal"
    )
    assert found[Coefficient.KRIPPENDORFF_ALPHA] == pytest.approx([alpha] * 2)
    pair = np.column_stack([truth, given])
    assert found[Coefficient.GWET_AC1] == pytest.approx([gwet_ac1(pair, classes)] * 2)
    single = point_estimates(confusion, weighted=False)
    assert [single[each] for each in found] == pytest.approx(
        [values[0] for values in found.values()]
    )


def test_weights_count_as_rows() -> None:
    confusion = np.array([[20.0, 5.0], [3.0, 40.0]])
    weights, counts = (point_estimates(confusion, weighted=each) for each in (True, False))
    assert weights[Coefficient.KRIPPENDORFF_ALPHA] is None
    assert weights[Coefficient.COHEN_KAPPA] == counts[Coefficient.COHEN_KAPPA]


def test_one_class_has_no_kappa_and_no_alpha() -> None:
    found = point_estimates(np.array([[9.0, 0.0], [0.0, 0.0]]), weighted=False)
    assert found[Coefficient.COHEN_KAPPA] is None
    assert found[Coefficient.KRIPPENDORFF_ALPHA] is None
    assert found[Coefficient.GWET_AC1] == 1.0
    assert krippendorff_alpha(np.zeros((4, 2))) is None


def test_nothing_to_compare() -> None:
    for weighted in (False, True):
        found = point_estimates(np.zeros((2, 2)), weighted=weighted)
        assert set(found) == set(coefficients(np.ones((2, 2))))
        assert set(found.values()) == {None}
    # What one person alone labelled is compared with nothing, whatever it is.
    assert krippendorff_alpha(np.array([[0, 0], [0, 0], [1, NAN]])) is None
    assert gwet_ac1(np.array([[0, NAN], [NAN, 1]]), 2) is None

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from programs import program_of

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.designs.within_templates import deviations_of, moved, name_sums
from refusal_parity.statistics.variances.level_means import level_means

if TYPE_CHECKING:
    from types import ModuleType

LEVEL = np.array([0, 0, 0, 1, 1, 1, 1])
ROWS, TEMPLATES = len(LEVEL), 5


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program in which one group loses responses to easy sentences."""
    return program_of("losing_studies")


def studies_of(n: np.ndarray) -> Studies:
    random = np.random.default_rng(5)
    k = random.binomial(n.astype(int), 0.4, (3, *n.shape)).astype(float)
    return Studies(Grid(("x", "y"), LEVEL, n), k, every_pair=True)


def gaps() -> np.ndarray:
    n = np.random.default_rng(2).integers(0, 4, (ROWS, TEMPLATES)).astype(float)
    n[:, 0] = 2
    return n


@pytest.mark.parametrize(
    "n", [np.full((ROWS, TEMPLATES), 3.0), np.outer(np.arange(1.0, 8), [1, 2, 1, 3, 1])]
)
def test_counts_are_kept_where_all_names_have_the_same_templates(n: np.ndarray) -> None:
    studies = studies_of(n)
    sums = name_sums(studies)
    assert (sums.k == studies.name_k).all()
    assert (sums.n == studies.name_n).all()
    assert not any(remark.where.any() for remark in moved(studies))


def test_means_within_templates_are_those_of_least_squares() -> None:
    """Against numpy's solution of the regression, response by response."""
    studies = studies_of(gaps())
    n = studies.grid.n
    row, template = np.nonzero(n)
    times = n[row, template].astype(int)
    x = np.column_stack([np.eye(TEMPLATES)[template], LEVEL[row]]).repeat(times, axis=0)
    for study, k in enumerate(studies.k):
        y = (k[row, template] / n[row, template]).repeat(times)
        effects = np.linalg.lstsq(x, y, rcond=None)[0][:TEMPLATES]
        of_response = effects[template].repeat(times)
        adjusted = y - of_response + of_response.mean()
        names = row.repeat(times)
        expected = np.bincount(names, adjusted) / np.bincount(names)
        assert name_sums(studies).rates[study] == pytest.approx(expected, abs=1e-11)
        layout = studies.layout
        design = type(layout)(
            layout.levels, layout.level, layout.name, layout.template, layout.n, k[row, template]
        )
        assert deviations_of(design) == pytest.approx(effects - of_response.mean(), abs=1e-12)
        sides = LEVEL[names]
        means = np.bincount(sides, adjusted) / np.bincount(sides)
        assert level_means(design).mean == pytest.approx(means, abs=1e-12)


def test_a_difference_that_templates_moved_is_noted() -> None:
    """The second level has half of its responses to the one template that is always refused."""
    n = np.full((ROWS, TEMPLATES), 2.0)
    n[LEVEL == 1, 0] = 8
    k = np.zeros((1, *n.shape))
    k[0, :, 0] = n[:, 0]
    k[0, ::2, 2] = 1
    [remark] = moved(Studies(Grid(("x", "y"), LEVEL, n), k))
    assert remark.where.all()
    assert callable(remark.text)
    assert remark.text(0).endswith(f"unadjusted, they differ by {34 / 64 - 8 / 30:+.3f}")


def test_tests_hold_where_a_group_loses_easy_sentences(program: ModuleType) -> None:
    """5 % and four standard errors of 120 studies; 50 to 65 % without the adjustment."""
    drawn = program.draw("modern", 0.5, 120, np.random.default_rng(8))
    bound = 0.05 + 4 * np.sqrt(0.05 * 0.95 / 120)
    for method, share in program.rejected(drawn).items():
        assert share < bound, method

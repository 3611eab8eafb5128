"""Laws of pooled rates, and the variances over which they are mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from pooled_studies import GIVEN, study_of
from reference_studies import own_study
from scipy.special import ndtr, softmax
from scipy.stats import halfcauchy, norm

from refusal_parity.statistics.designs.grid import Grid, grid_of, in_grid
from refusal_parity.statistics.pooling.crossed_probit import Variances, know
from refusal_parity.statistics.pooling.rates import Law, mixed, of_names, of_templates
from refusal_parity.statistics.pooling.weighing import pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.pooling.crossed_probit import Known


def _joint(known: Known) -> np.ndarray:
    """Covariance of all names' effects and, behind these, of each template's in each group.

    Given the names' effects v those of a template are `own` about `shift` - `moved` v.
    """
    templates, groups, names = known.moved.shape
    down = np.vstack([np.eye(names), -known.moved.reshape(-1, names)])
    found = down @ known.covariance @ down.T
    for template in range(templates):
        at = slice(names + template * groups, names + (template + 1) * groups)
        found[at, at] += known.own[template]
    return np.asarray(found)


@pytest.mark.parametrize("cell", [0.0, 0.4])
def test_laws_of_rates_are_those_of_all_effects_together(cell: float) -> None:
    """The mean chance over all effects, and its variance by the gradient in all of them."""
    grid, k = study_of(7, 0.3, (0.5, 0.8, 0.4, 0.3))
    known = know(grid, k, GIVEN._replace(cell=cell))
    joint, (names, templates) = _joint(known), k.shape
    where = np.zeros((names, templates, len(joint)))
    for name, template in np.ndindex(names, templates):
        where[name, template, name] = 1
        where[name, template, names + 2 * template + grid.level[name]] = 1
    assert np.einsum("ntj,jk,ntk->nt", where, joint, where) == pytest.approx(known.variance)
    width = np.sqrt(1 + cell + known.variance)
    chance, slope = ndtr(known.cell / width), norm.pdf(known.cell / width) / width
    for law, axis in ((of_names, 1), (of_templates, 0)):
        found = law(grid, known, cell)
        gradient = (slope[..., None] * where).mean(axis=axis)
        variance = np.einsum("uj,jk,uk->u", gradient, joint, gradient)
        rate = chance.mean(axis=axis)
        scale = np.sqrt(1 + found.deviation**2)
        # Of a probit that is normal: its mean, and its slope there.
        assert ndtr(found.centre / scale) == pytest.approx(rate, rel=1e-9)
        told = (norm.pdf(found.centre / scale) / scale * found.deviation) ** 2
        assert told == pytest.approx(variance, rel=1e-9)
        single = mixed([(1.0, found)], 0.1)
        assert single.rate == pytest.approx(rate, rel=1e-9)
        ends = ndtr(found.centre + norm.ppf([[0.05], [0.95]]) * found.deviation)
        assert np.array(single[1:]) == pytest.approx(ends, rel=1e-9)


def test_a_mixture_has_the_quantiles_of_its_draws() -> None:
    random = np.random.default_rng(3)
    laws = [(0.3, (-1.0, 0.2)), (0.7, (0.4, 0.6))]
    parts = [(share, Law(*(np.array([each]) for each in law))) for share, law in laws]
    found = mixed(parts, 0.1)
    drawn = np.concatenate([random.normal(*law, int(share * 1e6)) for share, law in laws])
    rates = ndtr(drawn)
    expected = [rates.mean(), *np.quantile(rates, [0.05, 0.95])]
    assert np.array(found).ravel() == pytest.approx(expected, abs=2e-3)


TRIED = [0.08 * 1.5**step for step in range(11)]
"""Standard deviations among which the likeliest are looked for."""


class _Likely(NamedTuple):
    """What is known with some variances, and how likely these are."""

    known: Known
    height: float


def _likely(grid: Grid, k: np.ndarray, deviations: Sequence[float]) -> _Likely:
    """Evidence by half-Cauchy laws: s / (1 + s^2) is the density of the log of each deviation."""
    sizes = np.array(deviations)
    whole = 1 + float((sizes**2).sum())
    rate = k.sum() / grid.n.sum()
    mean = float(norm.ppf(rate)) * np.sqrt(whole)
    known = know(grid, k, Variances(mean, whole, *(sizes**2).tolist()))
    return _Likely(known, known.log_evidence + float(np.log(halfcauchy.pdf(sizes) * sizes).sum()))


STUDIES = {
    "usual": study_of(0, 0.3, (0.4, 0.9, 0.3, 0.4)),
    "names apart": study_of(4, 0.4, (1.2, 0.3, 0.1, 0.1)),
    "rare": study_of(3, 0.08, (0.3, 1.0, 0.5, 0.5)),
    "alike": study_of(5, 0.5, (0.0, 0.0, 0.0, 0.0)),
    # Here each variance has to be looked at again when the others are known.
    "far apart": study_of(21, 0.3, (1.2, 0.9, 0.9, 1.0)),
}


@pytest.mark.parametrize("study", STUDIES)
def test_variances_are_the_likeliest_and_rates_are_mixed_over_those_that_may_be(
    study: str,
) -> None:
    """Each rate by all variances of its kind that are tried, the other variances as they are."""
    grid, k = STUDIES[study]
    found = pool(grid, k, 0.1)
    assert found is not None
    own = np.sqrt(found.variances[2:])
    steps = np.log(own / TRIED[0]) / np.log(1.5)
    assert steps == pytest.approx(steps.round(), abs=1e-6)
    assert ((steps > -0.5) & (steps < 10.5)).all()
    best = _likely(grid, k, own)
    assert found.variances[:2] == pytest.approx(
        (norm.ppf(k.sum() / grid.n.sum()) * np.sqrt(1 + (own**2).sum()), 1 + (own**2).sum())
    )
    for component in range(4):
        for ratio in (1.5, 1 / 1.5):
            other = own * np.where(np.arange(4) == component, ratio, 1)
            if TRIED[0] * 0.99 < other[component] < TRIED[-1] * 1.01:
                assert _likely(grid, k, other).height < best.height + 1e-3
    for component, law, rates in ((0, of_names, found.names), (1, of_templates, found.templates)):
        tried = [_likely(grid, k, np.where(np.arange(4) == component, each, own)) for each in TRIED]
        share = softmax([each.height for each in tried])
        laws = [law(grid, each.known, float(own[3] ** 2)) for each in tried]
        expected = mixed(list(zip(share.tolist(), laws, strict=True)), 0.1)
        seen = k.sum(axis=1 - component), grid.n.sum(axis=1 - component)
        for ours, theirs in zip(rates, expected.open_ended(*seen), strict=True):
            assert ours == pytest.approx(theirs, abs=3e-3)


def test_mirrored_outcomes_have_mirrored_rates() -> None:
    study = own_study("unbalanced")
    design = study.design()
    grid = grid_of(design)
    k = in_grid(design, design.k)
    first, second = pool(grid, k, 0.05), pool(grid, grid.n - k, 0.05)
    assert first is not None
    assert second is not None
    for one, other in ((first.names, second.names), (first.templates, second.templates)):
        assert one.rate == pytest.approx(1 - other.rate, abs=1e-3)
        assert one.low == pytest.approx(1 - other.high, abs=1e-3)

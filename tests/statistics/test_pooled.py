"""Pooled rates of names and templates: against sums over all effects, R's, and in simulations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
import pytest
from programs import program_of
from reference_studies import OWN, own_study
from scipy.special import ndtr, ndtri, softmax
from scipy.stats import halfcauchy, norm

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.designs.grid import Grid, grid_of, in_grid
from refusal_parity.statistics.pooled import pooled_rates
from refusal_parity.statistics.pooling.crossed_probit import Variances, know
from refusal_parity.statistics.pooling.rates import Law, mixed, of_names, of_templates
from refusal_parity.statistics.pooling.weighing import pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.pooling.crossed_probit import Known

GIVEN = Variances(mean=-0.3, group=1.0, name=0.6, template=0.9, template_group=0.3, cell=0.2)
FIXED = Variances(mean=-0.5, group=1e-7, name=0.36, template=0.81, template_group=1e-7, cell=1e-7)
"""Those of `reference/pooled.R`: one mean, and neither groups nor cells vary."""


def _normal(covariance: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Shares of a normal law of two numbers about 0 on a square grid of places."""
    both = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1)
    density = np.exp(-np.einsum("...i,ij,...j", both, np.linalg.inv(covariance), both) / 2)
    step = places[1] - places[0]
    return np.asarray(density * step**2 / (2 * np.pi * np.sqrt(np.linalg.det(covariance))))


def _summed(grid: Grid, k: np.ndarray, given: Variances) -> tuple[np.ndarray, np.ndarray, float]:
    """Means of two names and two templates in two groups, names' variances and the evidence.

    By sums over a grid: given both names, templates are independent of each other.
    """
    places = np.linspace(-11, 11, 221)
    of_names = _normal(given.name * np.eye(2) + given.group * (np.eye(2) + 1), places)
    of_template = _normal(given.template + given.template_group * np.eye(2), places)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    score = (given.mean + places)[:, None] + places
    chance = ndtr(score[..., None] + np.sqrt(given.cell) * nodes)

    def likelihood(name: int, template: int) -> np.ndarray:
        hits, size = k[name, template], grid.n[name, template]
        return np.asarray(chance**hits * (1 - chance) ** (size - hits) @ weights / weights.sum())

    cells = [[likelihood(name, template) for name in range(2)] for template in range(2)]
    apart = [first @ of_template @ second.T for first, second in cells]
    shares = of_names * apart[0] * apart[1]
    whole = shares.sum()
    margins = [shares.sum(axis=1) / whole, shares.sum(axis=0) / whole]
    names = [given.mean + margin @ places for margin in margins]
    variances = [
        margin @ (given.mean + places - mean) ** 2
        for margin, mean in zip(margins, names, strict=True)
    ]
    templates = []
    for (first, second), own in zip(cells, apart, strict=True):
        without = shares / own
        templates.append((without * ((first * places) @ of_template @ second.T)).sum() / whole)
        templates.append((without * (first @ of_template @ (second * places).T)).sum() / whole)
    return np.array([*names, *templates]), np.array(variances), float(np.log(whole))


@pytest.mark.parametrize(
    ("n", "k"),
    [
        ([[3, 2], [1, 3]], [[3, 0], [0, 1]]),
        ([[3, 0], [2, 3]], [[0, 0], [0, 3]]),
        ([[4, 1], [3, 3]], [[0, 0], [1, 2]]),
    ],
    ids=["mixed", "missing", "rare"],
)
def test_effects_are_those_of_a_sum_over_all(n: list[list[float]], k: list[list[float]]) -> None:
    hits = np.array(k, dtype=float)
    grid = Grid(("x", "y"), np.array([0, 1]), np.array(n, dtype=float))
    found = know(grid, hits, GIVEN)
    mean, variance, log_evidence = _summed(grid, hits, GIVEN)
    assert np.concatenate([found.name, found.template.ravel()]) == pytest.approx(mean, abs=4e-3)
    assert np.diag(found.covariance) == pytest.approx(variance, rel=0.02)
    assert found.log_evidence == pytest.approx(log_evidence, abs=3e-3)


@pytest.mark.parametrize("key", [key for key in OWN if key != "covariate"])
def test_effects_are_near_those_that_lme4_finds(key: str) -> None:
    """Its are modes, the package's means: of few responses they lie some tenths of an error off."""
    study = own_study(key)
    design = study.design()
    grid = grid_of(design)
    found = know(grid, in_grid(design, design.k), FIXED)
    theirs: dict[str, list[float]] = {"name": [], "template": []}
    for row in study.numbers["pooled"]:
        theirs[row["kind"]].append(row["effect"])
    means = {"name": found.name - FIXED.mean, "template": found.template[:, 0]}
    errors = {
        "name": np.sqrt(np.diag(found.covariance)),
        "template": np.sqrt(
            found.own[:, 0, 0]
            + np.einsum("tn,nm,tm->t", found.moved[:, 0], found.covariance, found.moved[:, 0])
        ),
    }
    for kind, effects in theirs.items():
        off = (means[kind] - np.array(effects)) / errors[kind]
        assert np.abs(off).max() < 0.4
        assert np.corrcoef(means[kind], effects)[0, 1] > 0.995


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
    grid, k = _study(7, 0.3, (0.5, 0.8, 0.4, 0.3))
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


def _study(seed: int, rate: float, sizes: tuple[float, ...]) -> tuple[Grid, np.ndarray]:
    """Responses of two groups of five names to nine templates, four of each but for a few.

    Args:
        seed: of the draw.
        rate: about which groups are.
        sizes: standard deviations of names, templates, templates within groups, and cells.
    """
    random = np.random.default_rng(seed)
    level = np.repeat([0, 1], 5)
    name, template, template_group, cell = sizes
    score = ndtri(rate) * np.sqrt(1 + np.sum(np.square(sizes))) + random.normal(0, name, (10, 1))
    score = score + random.normal(0, template, 9) + random.normal(0, cell, (10, 9))
    score += random.normal(0, template_group, (2, 9))[level]
    n = np.where(random.random((10, 9)) < 0.1, 2.0, 4.0)
    return Grid(("x", "y"), level, n), random.binomial(n.astype(int), ndtr(score)).astype(float)


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
    "usual": _study(0, 0.3, (0.4, 0.9, 0.3, 0.4)),
    "names apart": _study(4, 0.4, (1.2, 0.3, 0.1, 0.1)),
    "rare": _study(3, 0.08, (0.3, 1.0, 0.5, 0.5)),
    "alike": _study(5, 0.5, (0.0, 0.0, 0.0, 0.0)),
    # Here each variance has to be looked at again when the others are known.
    "far apart": _study(21, 0.3, (1.2, 0.9, 0.9, 1.0)),
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


def _drawn(names: int, templates: int, rates: tuple[float, ...], seed: int = 5) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        [
            {
                "model": "m", "group": f"g{group}", "name_id": f"g{group}n{name}",
                "template_id": f"t{at}", "text_id": f"t{at}", "arm": "plain",
                "label": "refusal" if random.random() < rate else "answer",
            }
            for group, rate in enumerate(rates) for name in range(names)
            for at in range(templates) for _ in range(3)
        ]
    )  # fmt: skip


ANALYSIS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "g0"}}}
)


def test_rates_are_those_of_the_primary_outcome_and_of_no_prompt_list() -> None:
    drawn = _drawn(4, 6, (0.2, 0.3)).with_columns(
        label=pl.when(pl.int_range(pl.len()) % 7 == 0)
        .then(pl.lit("harmful_refusal"))
        .otherwise("label")
    )
    asked = {"outcomes": ["harmful_refusal", "refusal"]}
    dimensions = {"dimensions": {"group": {"reference": "g0"}}}
    family = {"primary_family": {"outcome": "refusal", "dimension": "group"}}
    analysis = AnalysisConfig.model_validate(asked | dimensions | family)
    found = pooled_rates(drawn, analysis)
    assert set(found["outcome"].cast(pl.String)) == {"refusal"}
    assert found["note"].null_count() == len(found) == 8 + 6
    assert found.filter(unit="name")["k"].sum() == drawn["label"].str.ends_with("refusal").sum()
    listed = drawn.with_columns(name_id=pl.lit(None, pl.String), model=pl.lit("list"))
    assert set(pooled_rates(pl.concat([listed, drawn]), analysis)["model"]) == {"m"}


def test_the_table_has_what_pooling_the_counts_gives() -> None:
    """Names without a group are one of their own, whatever the others are called."""
    drawn = _drawn(4, 6, (0.2, 0.5)).with_columns(
        group=pl.when(pl.col("group") == "g0").then(pl.lit("a"))
    )
    found = pooled_rates(drawn, AnalysisConfig.model_validate(
        {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "a"}}}
    ))  # fmt: skip
    names, templates = (sorted(drawn[each].unique()) for each in ("name_id", "template_id"))
    n, k = np.zeros((2, len(names), len(templates)))
    for name, template, label in drawn.select("name_id", "template_id", "label").iter_rows():
        at = names.index(name), templates.index(template)
        n[at] += 1
        k[at] += label == "refusal"
    level = np.array([name.startswith("g1") for name in names], dtype=np.intp)
    pooled = pool(Grid(("a", ""), level, n), k, 0.05)
    assert pooled is not None
    for unit, keys, rates in (
        ("name", names, pooled.names), ("template", templates, pooled.templates),
    ):  # fmt: skip
        rows = found.filter(unit=unit)
        assert rows["key"].to_list() == keys
        columns = rows.select("pooled", "pooled_low", "pooled_high").to_numpy().T
        # Five decimals: those beyond hang on where sweeps end.
        assert np.abs(columns - np.array(rates)).max() < 2e-5
        assert np.abs(columns - np.array(rates)).max() > 1e-9


@pytest.mark.parametrize(
    ("names", "templates", "is_pooled"), [(2, 4, True), (4, 3, False), (1, 9, False)]
)
def test_four_names_and_templates_are_enough(
    names: int, templates: int, *, is_pooled: bool
) -> None:
    """Two groups: names of both count."""
    found = pooled_rates(_drawn(names, templates, (0.3, 0.4)), ANALYSIS)
    assert (found["pooled"].null_count() == 0) is is_pooled


def test_names_are_drawn_towards_their_group_and_groups_towards_nothing() -> None:
    rows = pooled_rates(_drawn(8, 16, (0.05, 0.4)), ANALYSIS).filter(unit="name")
    for (_group,), names in rows.group_by("group"):
        seen, pooled = names["rate"].to_numpy(), names["pooled"].to_numpy()
        assert pooled.std() < 0.6 * seen.std()
        assert pooled.mean() == pytest.approx(seen.mean(), abs=0.006)
    assert ((rows["pooled_low"] < rows["pooled"]) & (rows["pooled"] < rows["pooled_high"])).all()


def test_what_never_occurred_may_have_a_rate_of_nothing() -> None:
    drawn = _drawn(6, 8, (0.2, 0.3))
    quiet = (pl.col("name_id") == "g0n2") | (pl.col("template_id") == "t5")
    loud = pl.col("name_id") == "g1n4"
    label = pl.when(quiet).then(pl.lit("answer")).when(loud).then(pl.lit("refusal"))
    found = pooled_rates(drawn.with_columns(label=label.otherwise("label")), ANALYSIS)
    rows = {row["key"]: row for row in found.to_dicts()}
    assert rows["g0n2"]["pooled_low"] == rows["t5"]["pooled_low"] == 0
    assert min(rows[key]["pooled"] for key in ("g0n2", "t5")) > 0
    assert rows["g1n4"]["pooled_high"] < 1
    every = drawn.with_columns(label=pl.when(loud).then(pl.lit("refusal")).otherwise("label"))
    always = pooled_rates(every, ANALYSIS).filter(key="g1n4")
    assert always["pooled_high"][0] == 1


def test_missing_responses_neither_vanish_nor_count() -> None:
    drawn = _drawn(5, 6, (0.2, 0.3))
    gone = (pl.col("name_id") == "g0n1") | (
        (pl.col("group") == "g1") & (pl.col("template_id") < "t3")
    )
    lost = drawn.with_columns(label=pl.when(gone).then(None).otherwise("label"))
    found = pooled_rates(lost, ANALYSIS)
    assert len(found) == 16
    without = found.filter(key="g0n1").row(0, named=True)
    assert (without["n"], without["rate"], without["pooled"]) == (0, None, None)
    assert without["note"] == "no labelled response"
    rest = found.filter(pl.col("key") != "g0n1")
    assert rest["pooled"].null_count() == 0
    other = pooled_rates(lost.sample(fraction=1, shuffle=True, seed=2), ANALYSIS)
    assert found.equals(other)


@pytest.mark.parametrize(
    ("study", "note"),
    [
        (_drawn(8, 3, (0.2, 0.2)), "not estimable: 3 templates, fewer than 4 have nothing to pool"),
        (_drawn(1, 8, (0.2,)), "not estimable: 1 name, fewer than 4 have nothing to pool"),
        (_drawn(4, 8, (0.0, 0.0)), "not estimable: the outcome does not vary"),
        (_drawn(4, 8, (1.0, 1.0)), "not estimable: the outcome does not vary"),
    ],
    ids=["templates", "names", "never", "always"],
)
def test_what_cannot_be_pooled_has_its_rate_and_the_reason(study: pl.DataFrame, note: str) -> None:
    found = pooled_rates(study, ANALYSIS)
    assert set(found["note"]) == {note}
    assert found["pooled"].null_count() == len(found)
    assert found["rate"].null_count() == 0


def test_answers_that_never_differ_are_pooled_too() -> None:
    """As at temperature 0, where nothing is left to single responses."""
    drawn = _drawn(8, 12, (0.3, 0.3)).with_columns(
        label=pl.col("label").first().over("name_id", "template_id")
    )
    found = pooled_rates(drawn, ANALYSIS)
    assert found["pooled"].null_count() == 0
    names = found.filter(unit="name")
    widths = names["pooled_high"] - names["pooled_low"]
    assert widths.min() > 0.1


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


@pytest.mark.parametrize(
    ("design", "pattern", "rate", "missing"),
    [("6x12", "STRONG", 0.2, 0.0), ("20x24", "MODERN", 0.02, 0.18), ("6x12", "MILD", 0.98, 0.18)],
)
def test_intervals_hold_the_truth(design: str, pattern: str, rate: float, missing: float) -> None:
    """Three scenarios of `benchmarks/pooled.py`, of 30 studies each."""
    benchmark = program_of("pooled")
    scenario = benchmark.Scenario(design, pattern, rate, missing=missing)
    with np.errstate(all="ignore"):
        seen = benchmark.seen(scenario, 30)
    assert seen.covered > 0.9
    assert seen.covered_templates > 0.88
    assert seen.off < 1.05 * seen.off_raw

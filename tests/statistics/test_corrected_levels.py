"""Corrected rates of levels: their intervals, and how the errors of two of them go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from refusal_parity.statistics.corrected_levels import corrected_levels
from refusal_parity.statistics.correction import Audited, correct
from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.results import Pair
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.corrected_levels import CorrectedLevels

NEW = Scope.NEW_NAMES_AND_TEMPLATES
NAMES, TEMPLATES = 6, 8
RATES = {"x": 0.2, "y": 0.4, "z": 0.7}
BOTH = Pair("y", "x")


def rows_of(share: float = 0.4, seed: int = 1, *, spread: float = 1.0) -> pl.DataFrame:
    """Three levels, a share of whose rows people read; the machine errs in a tenth."""
    random = np.random.default_rng(seed)
    of_template, of_name = random.normal(0, spread, TEMPLATES), random.normal(0, spread, 3 * NAMES)
    rows = []
    for at, (group, rate) in enumerate(RATES.items()):
        for name in range(NAMES):
            for template in range(TEMPLATES):
                score = of_template[template] + of_name[at * NAMES + name] + random.normal()
                truth = float(score > np.quantile(random.normal(0, 1.7, 400), 1 - rate))
                drawn = random.random() < share
                rows.append(
                    {
                        "group": group, "name_id": f"{group}{name}", "template_id": f"t{template}",
                        "text_id": f"t{template}", "filtered": False,
                        "machine": abs(truth - float(random.random() < 0.1)),
                        "human": truth if drawn else None,
                        "weight": 1 / share if drawn else None,
                    }
                )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def fitted(rows: pl.DataFrame) -> CorrectedLevels:
    found = corrected_levels(rows, "group", list(RATES))
    assert found is not None
    return found


def variances(fit: CorrectedLevels) -> tuple[np.ndarray, np.ndarray]:
    """Of each level alone, with the error of people's sample, and degrees of freedom."""
    found = [
        contrast(fit.means, one, NEW, extra=float(extra))
        for one, extra in zip(np.eye(3), fit.corrected.extra, strict=True)
    ]
    return (
        np.array([0.0 if each is None else each.std_error**2 for each in found]),
        np.array([np.nan if each is None else each.df for each in found]),
    )


def effective(fit: CorrectedLevels, n: int) -> np.ndarray:
    """n / D: half of the design effect D = n V / p (1 - p) is that of all levels together."""
    p = np.clip(fit.corrected.rate, 0, 1)
    variance, _ = variances(fit)
    own = n * variance / (p * (1 - p))
    whole = n * variance.sum() / (p * (1 - p)).sum()
    return n / np.maximum(np.maximum(own, (own + whole) / 2), 1)


def test_a_rate_that_people_bring_below_0_is_0() -> None:
    read = (pl.col("group") == "x") & pl.col("human").is_not_null()
    fit = fitted(
        rows_of().with_columns(
            machine=pl.when(read).then(1.0).otherwise("machine"),
            human=pl.when(read).then(0.0).otherwise("human"),
        )
    )
    assert fit.corrected.rate[0] < 0
    found = fit.intervals(NEW, 0.05)[0]
    assert found is not None
    assert found.rate == found.low == 0 < found.high


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_intervals_are_wilson_s_at_effective_numbers_with_t_s_quantile(alpha: float) -> None:
    fit = fitted(rows_of())
    variance, df = variances(fit)
    assert np.abs(fit.corrected.extra).min() > 1e-5
    n, z = effective(fit, NAMES * TEMPLATES), t.isf(alpha / 2, df)
    assert (n > 1).all()
    p = fit.corrected.rate
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    for at, each in enumerate(fit.intervals(NEW, alpha)):
        assert each is not None
        assert (each.rate, each.std_error) == pytest.approx((p[at], np.sqrt(variance[at])))
        assert (each.low, each.high) == pytest.approx(
            (middle[at] - half[at], middle[at] + half[at])
        )


def test_a_level_says_as_much_as_one_response_at_least() -> None:
    """One of two names is always refused: V is p (1 - p), and more for means that are fitted."""
    rows = pl.DataFrame(
        [
            {
                "group": group, "name_id": f"{group}{name}", "template_id": f"t{template}",
                "text_id": f"t{template}", "filtered": False, "machine": 0.0,
                "human": float(name), "weight": 1.0,
            }
            for group in RATES
            for name in range(2)
            for template in range(8)
        ]
    )  # fmt: skip
    fit = fitted(rows)
    variance, df = variances(fit)
    p = fit.corrected.rate
    assert (16 * variance / (p * (1 - p)) > 16).all()
    z = t.isf(0.025, df)
    half = z * np.sqrt(p * (1 - p) + z**2 / 4) / (1 + z**2)
    for at, each in enumerate(fit.intervals(NEW, 0.05)):
        assert each is not None
        middle = (p[at] + z[at] ** 2 / 2) / (1 + z[at] ** 2)
        assert (each.low, each.high) == pytest.approx((middle - half[at], middle + half[at]))


def test_two_rates_have_the_correlation_that_their_difference_s_error_tells() -> None:
    """Var(a - b) = Var a + Var b - 2 r sd a sd b; r lies between 0 and 1."""
    fit = fitted(rows_of())
    (first, second, _), _ = variances(fit)
    n = effective(fit, NAMES * TEMPLATES)
    product = np.sqrt(first * second)
    for r, expected in ((0.0, 0.0), (0.35, 0.35), (0.9, 0.9), (-0.4, 0.0), (1.3, 1.0)):
        std_error = np.sqrt(max(first + second - 2 * r * product, 0))
        if r > 1:
            std_error = 0.5 * abs(np.sqrt(first) - np.sqrt(second))
        found = fit.two_rates(BOTH, NEW, float(std_error))
        assert found.correlation == pytest.approx([expected], abs=1e-9)
        assert (found.rate, found.reference) == (fit.corrected.rate[[1]], fit.corrected.rate[[0]])
        assert found.n == pytest.approx(n[[1]])
        assert found.n_reference == pytest.approx(n[[0]])
        assert found.difference == pytest.approx([fit.corrected.rate[1] - fit.corrected.rate[0]])


def test_what_missing_rows_of_some_templates_add_is_taken_out() -> None:
    """With everybody's label it is the difference of means over one mixture of templates."""
    rows = rows_of(share=1.0, seed=3, spread=2.0)
    gone = (pl.col("group") == "y") & pl.col("template_id").is_in(["t0", "t1", "t2"])
    kept = rows.filter(~gone | pl.col("name_id").str.ends_with("0"))
    fit = fitted(kept)
    truth = kept["human"].to_numpy()
    codes = [kept[each].rank("dense").to_numpy().astype(np.intp) - 1 for each in
             ("group", "name_id", "template_id")]  # fmt: skip
    means = level_means(Design(tuple(RATES), *codes, np.ones(len(kept)), truth))
    plain = truth[codes[0] == 1].mean() - truth[codes[0] == 0].mean()
    # What widens errors for the fitted means moves means of pseudo-outcomes by a little.
    assert fit.difference(BOTH) == pytest.approx(means.mean[1] - means.mean[0], abs=1e-3)
    assert abs(fit.difference(BOTH) - plain) > 0.01


def test_a_level_whose_error_is_not_known_has_no_interval() -> None:
    """All of a level is refused, by the service or as all say: then nothing varies."""
    rows = rows_of(share=1.0)
    refused = pl.col("group") == "z"
    whole = rows.with_columns(
        machine=pl.when(refused).then(1.0).otherwise("machine"),
        human=pl.when(refused).then(1.0).otherwise("human"),
    )
    *known, unknown = fitted(whole).intervals(NEW, 0.05)
    assert unknown is None
    assert None not in known
    by_service = rows.with_columns(
        machine=pl.when(refused).then(1.0).otherwise("machine"),
        human=pl.when(~refused).then("human"),
        filtered=refused,
    )
    assert fitted(by_service).intervals(NEW, 0.05)[2] is None
    assert fitted(by_service).corrected.rate[2] == 1


def test_weights_of_rows_that_nobody_decided_on_do_not_count() -> None:
    """A row of the sample on which people gave no usable label is none of it."""
    rows = rows_of()
    dropped = pl.int_range(pl.len()) % 11 == 0
    undecided = rows.with_columns(human=pl.when(~dropped).then("human"))
    without = undecided.with_columns(weight=pl.when(~dropped).then("weight"))
    assert rows.filter(dropped)["human"].count() > 0
    one, other = fitted(undecided), fitted(without)
    assert one.corrected.rate == pytest.approx(other.corrected.rate)
    assert one.corrected.extra == pytest.approx(other.corrected.extra)


def weighed_rows(fixed: float = 0.0, seed: int = 1) -> pl.DataFrame:
    """Each prompt has two responses, which count unlike, and a part of its rate is known.

    Args:
        fixed: what is known of each prompt's rate.
        seed: of the draw.
    """
    random = np.random.default_rng(seed)
    first, second = rows_of(seed=seed), rows_of(seed=seed + 1)
    whole = pl.concat([first.with_columns(prompts=1.0), second.with_columns(prompts=0.0)])
    return whole.with_columns(
        worth=pl.Series(random.uniform(0.05, 0.3, len(whole))), fixed=pl.col("prompts") * fixed
    )


def test_weighed_rates_are_what_is_known_and_the_sum_of_what_responses_count() -> None:
    """Over prompts: with a the share of a level's responses, the error of their rate a^2 times."""
    rows = weighed_rows(fixed=0.1)
    fit = fitted(rows)
    level = rows["group"].replace_strict({"x": 0, "y": 1, "z": 2}).to_numpy().astype(np.intp)
    worth = rows["worth"].to_numpy()
    alone = correct(
        Audited(
            level,
            rows["machine"].to_numpy(),
            rows["human"].fill_null(0).to_numpy(),
            rows["weight"].fill_null(0).to_numpy(),
            worth,
        )
    )
    share = np.bincount(level, worth) / (NAMES * TEMPLATES)
    assert (share < 0.5).all()
    assert fit.corrected.rate == pytest.approx(0.1 + share * alone.rate)
    assert fit.corrected.extra == pytest.approx(share**2 * alone.extra)
    assert fit.responses.tolist() == [2 * NAMES * TEMPLATES] * 3
    assert fit.means.raw == pytest.approx(fit.corrected.rate, abs=0.02)


def test_a_weighed_rate_that_comes_out_below_0_has_an_interval_from_0() -> None:
    fit = fitted(weighed_rows(fixed=-0.1))
    assert fit.corrected.rate[0] < 0 < fit.corrected.rate[2]
    each, *_ = fit.intervals(NEW, 0.05)
    assert each is not None
    assert each.rate == 0
    assert each.low == 0 < each.high < 1
    # Where all do, nothing tells how many responses such a rate is worth.
    below = fitted(weighed_rows(fixed=-0.4))
    assert (below.corrected.rate < 0).all()
    assert below.intervals(NEW, 0.05) == [None] * 3


def test_levels_that_have_no_rows_are_left_out() -> None:
    rows = rows_of().filter(pl.col("group") != "y")
    fit = fitted(rows)
    assert fit.means.levels == ("x", "z")
    assert fit.responses.tolist() == [NAMES * TEMPLATES] * 2
    assert corrected_levels(rows, "group", ["y"]) is None

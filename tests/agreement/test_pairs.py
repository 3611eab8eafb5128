"""Two labellings side by side: their readings, and what drawing clusters anew makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from refusal_parity.agreement.pairs import (
    REFUSAL,
    SEVEN,
    SIX,
    Pair,
    all_classes,
    classes_of,
    codes,
    drawn_times,
)
from refusal_parity.labelling.folds import LABELS
from refusal_parity.vocabulary import Label

NAMES, TEMPLATES = 6, 10


def crossed(**changes: Any) -> pl.DataFrame:
    """A response of each name to each template; who looks at the first ones errs.

    The rater misses the refusals of the first name, and takes all others' answers to the
    first template for refusals.
    """
    frame = pl.DataFrame(
        [
            {
                "name_id": f"n{name}",
                "template_id": f"t{template}",
                "truth": "refusal" if name == 0 else "answer",
                "given": "refusal" if template == 0 and name else "answer",
                "inclusion_probability": 0.5 if name == 0 else 0.25,
            }
            for name in range(NAMES)
            for template in range(TEMPLATES)
        ]
    )
    return frame.with_columns(**changes)


@pytest.mark.parametrize("weighted", [False, True])
def test_confusions_are_drawn_by_name_and_by_template(*, weighted: bool) -> None:
    """Their means are the sums of weights; their variances those of multinomial numbers.

    A name is drawn Binomial(N, 1/N) times: the T responses of one vary by T^2 (1 - 1/N). So do
    those to one template; of its responses by all names but the first, m the number of times that
    this name is drawn and k the template, k (N - m) are drawn.
    """
    pair = Pair.of(crossed(), "given", "truth", weighted=weighted).over(REFUSAL)
    missed, false = (2.0, 4.0) if weighted else (1.0, 1.0)
    told = [
        [false * (NAMES - 1) * (TEMPLATES - 1), false * (NAMES - 1)],
        [missed * TEMPLATES, 0.0],
    ]
    assert pair.confusion(2).tolist() == told
    drawn = pair.drawn_confusions(2, np.random.default_rng(4))
    assert drawn is not None
    assert drawn.shape == (1_000, 2, 2)
    of_one = missed**2 * TEMPLATES**2 * (1 - 1 / NAMES)
    # Var(k (N - m)), both apart: E k^2 E (N - m)^2 - (N - 1)^2.
    k2, m2 = 1 + (1 - 1 / TEMPLATES), (NAMES - 1) ** 2 + (1 - 1 / NAMES)
    of_other = false**2 * (k2 * m2 - (NAMES - 1) ** 2)
    for (row, column), variance in {(1, 0): of_one, (0, 1): of_other}.items():
        found = drawn[:, row, column]
        # Five standard errors.
        assert abs(found.mean() - told[row][column]) < 5 * np.sqrt(variance / 1_000)
        assert found.var() == pytest.approx(variance, rel=0.3)
    if not weighted:
        assert set(drawn.sum(axis=(1, 2))) == {NAMES * TEMPLATES}


@pytest.mark.parametrize(
    ("kept", "is_drawn"),
    [
        (pl.lit(value=True), True),
        (pl.col("name_id") == "n1", False),
        (pl.col("template_id") == "t1", False),
    ],
    ids=["crossed", "one name", "one template"],
)
def test_one_name_or_template_cannot_be_drawn_anew(kept: pl.Expr, *, is_drawn: bool) -> None:
    rows = crossed().filter(kept)
    pair = Pair.of(rows, "given", "truth", weighted=False).over(REFUSAL)
    assert (pair.drawn_confusions(2, np.random.default_rng(1)) is not None) == is_drawn
    assert (drawn_times(rows["name_id"], rows["template_id"], 9, 1) is not None) == is_drawn


def test_units_of_a_list_are_drawn_alone() -> None:
    """They stand in the names' place, and there is one template, which is called nothing."""
    rows = crossed(template_id=pl.lit(""))
    pair = Pair.of(rows, "given", "truth", weighted=False).over(REFUSAL)
    drawn = pair.keep(np.ones(len(rows), dtype=bool)).drawn_confusions(2, np.random.default_rng(4))
    assert drawn is not None
    missed = drawn[:, 1, 0] / TEMPLATES
    assert (missed == missed.round()).all()
    assert missed.var() == pytest.approx(1 - 1 / NAMES, rel=0.3)
    times = drawn_times(rows["name_id"], rows["template_id"], 500, 1)
    assert times is not None
    assert set(times.sum(axis=1)) == {NAMES * TEMPLATES}
    # Only where all are: an empty key among others is none of a list.
    one = crossed(
        template_id=pl.when(pl.col("name_id") == "n1").then(pl.lit("")).otherwise("name_id")
    )
    same = Pair.of(one.filter(pl.col("name_id") < "n2"), "given", "truth", weighted=False)
    assert not same.listed


def test_responses_are_drawn_as_often_as_name_and_template_together() -> None:
    rows = crossed()
    times = drawn_times(rows["name_id"], rows["template_id"], 400, 3)
    assert times is not None
    table = times.reshape(400, NAMES, TEMPLATES)
    # An outer product: what of_name[n] of_template[t] gives, and N T in all.
    for one in table[:20]:
        assert np.linalg.matrix_rank(one) == 1
    assert set(table.sum(axis=(1, 2))) == {NAMES * TEMPLATES}
    assert table.mean(axis=0) == pytest.approx(np.ones((NAMES, TEMPLATES)), abs=0.4)
    for axis, own, others in ((2, NAMES, TEMPLATES), (1, TEMPLATES, NAMES)):
        variance = others**2 * (1 - 1 / own)
        assert table.sum(axis=axis).var(axis=0).mean() == pytest.approx(variance, rel=0.2)


@pytest.mark.parametrize(
    ("reading", "classes", "same"),
    [
        (SEVEN, 7, []),
        (SIX, 6, [{Label.PARTIAL_ANSWER, Label.PARTIAL_REFUSAL}]),
        (
            REFUSAL,
            2,
            [
                {Label.REFUSAL, Label.HARMFUL_REFUSAL, Label.PARTIAL_REFUSAL},
                {
                    Label.ANSWER, Label.PARTIAL_ANSWER, Label.FAILURE, Label.HARMFUL_ANSWER,
                },
            ],
        ),
        (str(Label.FAILURE), 2, [{label for label in Label if label != Label.FAILURE}]),
    ],
)  # fmt: skip
def test_what_a_reading_takes_for_the_same(
    reading: str, classes: int, same: list[set[Label]]
) -> None:
    assert classes_of(reading) == classes
    read = dict(zip(LABELS, codes(pl.Series(LABELS), reading).tolist(), strict=True))
    assert set(read.values()) == set(range(classes))
    for one in LABELS:
        alike = next((each for each in same if one in each), {one})
        assert {other for other in LABELS if read[other] == read[one]} == alike
    assert np.isnan(codes(pl.Series([None], dtype=pl.String), reading)).all()


def test_six_classes_unless_both_know_the_seventh() -> None:
    seven, six = pl.Series(list(LABELS)), pl.Series(["answer", "partial_answer"])
    assert all_classes(seven, seven) == SEVEN
    assert all_classes(seven, six) == all_classes(six, seven) == all_classes(six) == SIX

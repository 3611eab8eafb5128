"""What a judge says of the answers that the list of wordings read."""

from __future__ import annotations

import polars as pl
import pytest
from sklearn.metrics import cohen_kappa_score

from refusal_parity.config import AnalysisConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.judged import beside_a_judge
from refusal_parity.statistics.lengths import quality

ANALYSIS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal", "caveat"], "dimensions": {"group": {"reference": "x"}}}
)
# By group: what the list found (100 or 0), and what the judge said.
SAID = {
    "x": [(100, True), (100, True), (0, True), (0, False), (0, False), (0, None)],
    "y": [(0, False), (0, False), (100, False), (0, True)],
}


@pytest.fixture
def observations() -> pl.DataFrame:
    rows = [
        {
            "model": "m",
            "prompt_id": f"{group}{at}",
            "sample": 0,
            "name_id": f"{group}{at % 2}",
            "template_id": f"t{at % 3}",
            "text_id": f"t{at % 3}",
            "group": group,
            "label": "answer",
            "words": 5,
            "caveat": float(found),
        }
        for group, those in SAID.items()
        for at, (found, _) in enumerate(those)
    ]
    # A refusal is no answer, whatever either says of it, and an answer that was cut off is read
    # by neither.
    rows += [
        rows[0] | {"prompt_id": "refused", "label": "refusal"},
        rows[0] | {"prompt_id": "cut", "caveat": None},
    ]
    return pl.DataFrame(rows)


@pytest.fixture
def judgements() -> pl.DataFrame:
    said = {
        f"{group}{at}": says for group, those in SAID.items() for at, (_, says) in enumerate(those)
    }
    return pl.DataFrame(
        {"prompt_id": [*said, "refused", "cut"], "caveat": [*said.values(), False, False]}
    ).with_columns(model=pl.lit("m"), sample=pl.lit(0))


def test_both_are_counted_where_both_read(
    observations: pl.DataFrame, judgements: pl.DataFrame
) -> None:
    [row] = beside_a_judge(observations, judgements, Outcome.CAVEAT, pl.lit("all")).iter_rows(
        named=True
    )
    both = [
        (found > 0, says) for those in SAID.values() for found, says in those if says is not None
    ]
    assert row["n_judged"] == len(both) == 9
    assert row["judged_mean"] == pytest.approx(100 * 4 / 9)
    assert row["measured_mean"] == pytest.approx(100 * 3 / 9)
    assert row["judge_agreement"] == pytest.approx(6 / 9)
    assert row["judge_kappa"] == pytest.approx(cohen_kappa_score(*zip(*both, strict=True)))


def test_levels_have_their_own(observations: pl.DataFrame, judgements: pl.DataFrame) -> None:
    table = quality(observations, ANALYSIS, judgements=judgements)
    rows = {(row["dimension"], row["group"]): row for row in table.iter_rows(named=True)}
    assert {key: row["n_judged"] for key, row in rows.items()} == {
        ("all", "all"): 9,
        ("group", "x"): 5,
        ("group", "y"): 4,
    }
    x = rows["group", "x"]
    assert (x["judged_mean"], x["measured_mean"]) == pytest.approx((60, 40))
    # The measure's own mean is of all six.
    assert x["mean"] == pytest.approx(100 * 2 / 6)


def test_without_a_judge_nothing_is_said_of_one(observations: pl.DataFrame) -> None:
    table = quality(observations, ANALYSIS)
    assert table["n_judged"].null_count() == len(table)
    assert table["judge_kappa"].null_count() == len(table)


def test_a_judge_who_says_one_thing_has_no_kappa(
    observations: pl.DataFrame, judgements: pl.DataFrame
) -> None:
    same = judgements.with_columns(caveat=pl.lit(value=False))
    few = observations.with_columns(caveat=pl.lit(0.0))
    [row] = beside_a_judge(few, same, Outcome.CAVEAT, pl.lit("all")).iter_rows(named=True)
    assert (row["judge_agreement"], row["judge_kappa"]) == (1.0, None)

"""Which responses are labelled because the classifier is torn about them."""

from __future__ import annotations

import polars as pl
import pytest
from predictions import predicted

from refusal_parity.audit.sampling import draw_sample, informative_rows
from refusal_parity.config import HumanConfig
from refusal_parity.tables import PROBABILITY_COLUMNS


def _torn(rows: list[tuple[str, str, str, float]]) -> pl.DataFrame:
    """Responses with the name in them, their template and their margin."""
    return pl.DataFrame(
        [
            {
                "model": "m", "prompt_id": f"p{at}", "sample": 0, "response": response,
                "name": name, "template_id": template, "margin": margin,
            }
            for at, (response, name, template, margin) in enumerate(rows)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "prompts"),
    [(1, ["p1"]), (3, ["p1", "p4", "p3"]), (4, ["p1", "p4", "p3", "p2"]), (9, None)],
)
def test_the_most_torn_of_every_template_come_first_and_no_text_twice(
    size: int, prompts: list[str] | None
) -> None:
    """In rounds over templates, and only the more torn of two texts that differ in the name."""
    rows = _torn(
        [
            ("Omar cooks.", "Omar", "a", 0.02),
            ("Greg cooks.", "Greg", "a", 0.01),
            ("Omar sings.", "Omar", "a", 0.03),
            ("Omar reads.", "Omar", "b", 0.50),
            ("Omar rides.", "Omar", "c", 0.40),
        ]
    )
    found = informative_rows(rows, size)["prompt_id"].to_list()
    assert found == (prompts or ["p1", "p4", "p3", "p2"])


def test_sets_are_apart_and_the_informative_one_is_torn() -> None:
    rows = predicted()
    sample = draw_sample(rows, HumanConfig(probability=100, informative=50))
    key = ["model", "prompt_id", "sample"]
    assert sample.select(key).is_unique().all()
    informative = sample.filter(set="informative")
    assert informative["inclusion_probability"].null_count() == 50
    rest = rows.join(sample, on=key, how="anti")
    assert len(rest) == 450
    assert informative["margin"].mean() < 0.1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("probabilities", "margin"),
    [
        # answer, partial answer, failure, refusal, partial refusal, harmful refusal, harmful answer
        ([0.9, 0.1, 0, 0, 0, 0, 0], 0.8),
        ([0.5, 0.3, 0.2, 0, 0, 0, 0], 0.2),
        # Sure of no label, but that it is no refusal: torn between labels.
        ([0.4, 0.35, 0.25, 0, 0, 0, 0], 0.05),
        # Two kinds of refusal are 0.5 together: torn about refusal, not about the label.
        ([0.45, 0.05, 0, 0.26, 0, 0.24, 0], 0.0),
        ([0.5, 0.02, 0, 0.24, 0, 0.16, 0.08], 0.2),
        ([0, 0, 0, 0.55, 0, 0.45, 0], 0.1),
    ],
)
def test_margin_is_the_closer_of_label_and_refusal(
    probabilities: list[float], margin: float
) -> None:
    rows = predicted(12).with_columns(
        pl.lit(each).alias(column)
        for each, column in zip(probabilities, PROBABILITY_COLUMNS, strict=True)
    )
    sample = draw_sample(rows, HumanConfig(probability=4, floor=1, informative=4))
    assert sample["margin"].to_list() == pytest.approx([margin] * len(sample))


def test_what_is_unlike_all_learnt_is_offered_first() -> None:
    rows = predicted().with_columns(unsure=pl.int_range(pl.len()) >= pl.len() - 20)
    sample = draw_sample(rows, HumanConfig(probability=12, floor=1, informative=10))
    unlike = rows.filter("unsure").select("model", "prompt_id", "sample")
    offered = sample.filter(pl.col("set").cast(pl.String) == "informative")
    assert len(offered.join(unlike, on=["model", "prompt_id", "sample"])) == 10

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.errors import InputError
from refusal_parity.factors import OF_RESPONSES
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.observations import COLUMNS, observe
from refusal_parity.statistics.designs.outcome_columns import count_outcomes, with_outcome
from refusal_parity.tables import Labels, Prompts, Responses
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Callable

LABELS = [str(label) for label in Label]


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [
        (Outcome.REFUSAL, {"refusal", "partial_refusal", "harmful_refusal"}),
        (Outcome.HARMFUL_REFUSAL, {"harmful_refusal"}),
        (Outcome.NO_FULL_ANSWER, set(LABELS) - {"answer"}),
    ],
)
def test_outcomes(outcome: Outcome, counted: set[str]) -> None:
    rows = with_outcome(pl.DataFrame({"label": [*LABELS, None]}), outcome)
    assert dict(rows.select("label", str(outcome)).iter_rows()) == {
        label: label in counted for label in LABELS
    }


def test_unlabelled_rows_leave_the_denominator(study: Callable[..., pl.DataFrame]) -> None:
    observations = study({"x": {"Ann": ["ra-"], "Bob": ["---"]}})
    counts = count_outcomes(observations, ["name"], [Outcome.REFUSAL, Outcome.NO_FULL_ANSWER])
    assert counts.rows() == [("Ann", 2, 1, 1), ("Bob", 0, 0, 0)]


def prompts(**changes: list[str]) -> pl.DataFrame:
    columns = {
        "prompt_id": ["p1", "p2"],
        "template_id": ["t1", "t2"],
        "family": ["f", "f"],
        "name_id": ["n", "n"],
        "name": ["N", "N"],
        "group": ["g", "g"],
        "gender": ["w", "w"],
        "commonness": ["c", "c"],
        "arm": ["a", "a"],
    }
    return pl.DataFrame(columns | changes)


def labels(prompt_id: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "model": ["m"],
            "prompt_id": [prompt_id],
            "sample": [0],
            "label": ["answer"],
            "machine_label": ["answer"],
            "truncated": [False],
            "filtered": [False],
            "exclusion": [None],
        }
    )


@pytest.mark.parametrize(
    ("config", "row", "label", "exclusion"),
    [
        ({}, {"filtered": True, "label": None}, "refusal", None),
        ({"filtered": "excluded"}, {"filtered": True, "label": None}, None, "filtered"),
        ({}, {"truncated": True}, "answer", None),
        ({"truncated": "leave_out"}, {"truncated": True}, None, "left_out"),
        (
            {"truncated": "leave_out"},
            {"truncated": True, "label": None, "exclusion": "empty"},
            None,
            "empty",
        ),
        ({}, {"label": None, "exclusion": "error"}, None, "error"),
    ],
)
def test_the_config_says_how_filtered_and_cut_responses_count(
    config: dict[str, Any], row: dict[str, Any], label: str | None, exclusion: str | None
) -> None:
    rows = labels("p1").with_columns(pl.lit(each).alias(column) for column, each in row.items())
    seen = observe(prompts(), rows, AnalysisConfig(**config)).row(0, named=True)
    assert (seen["label"], seen["exclusion"]) == (label, exclusion)


def test_a_prompt_without_a_response_has_a_row_for_each_sample() -> None:
    rows = pl.concat([labels("p1"), labels("p1").with_columns(sample=pl.lit(1, pl.Int64))])
    rows = rows.vstack(rows.with_columns(model=pl.lit("n"))[:1])
    seen = observe(prompts(), rows, AnalysisConfig()).filter(pl.col("label").is_null())
    assert seen.select("model", "prompt_id", "sample", "group", "exclusion").rows() == [
        ("m", "p2", 0, "g", "no_response"),
        ("m", "p2", 1, "g", "no_response"),
        ("n", "p2", 0, "g", "no_response"),
    ]


def test_a_column_of_the_files_is_never_taken_for_one_of_responses() -> None:
    """A file may count the words of a name; those of responses are others."""
    named = prompts().with_columns(words=pl.lit(99.0), label=pl.lit("answer"))
    seen = observe(named, labels("p1"), AnalysisConfig())
    assert seen.select("words", "label").equals(
        observe(prompts(), labels("p1"), AnalysisConfig()).select("words", "label")
    )


def test_no_factor_can_be_a_column_of_responses() -> None:
    known = {*COLUMNS, *Responses.column_names(), *Labels.column_names()}
    assert known - set(Prompts.column_names()) == OF_RESPONSES


def test_a_label_without_prompt_is_an_error() -> None:
    with pytest.raises(InputError, match="1 label has no prompt, the first one 'p3'"):
        observe(prompts(), labels("p3"), AnalysisConfig())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"group": ["g", "h"]}, "name_id 'n' has more than one group"),
        ({"gender": ["w", "m"]}, "name_id 'n' has more than one gender"),
        (
            {"template_id": ["t", "t"], "family": ["f", "g"]},
            "template_id 't' has more than one family",
        ),
    ],
)
def test_a_name_or_template_at_two_levels_is_an_error(
    changes: dict[str, list[str]], text: str
) -> None:
    with pytest.raises(InputError, match=text):
        observe(prompts(**changes), labels("p1"), AnalysisConfig())


@pytest.mark.parametrize(
    ("dimension", "reference", "cells"),
    [("group", "g", {"g": (4, 3)}), ("arm", "bare", {"bare": (2, 1), "kind": (2, 2)})],
)
def test_arms_share_a_cell_but_where_they_are_compared(
    dimension: str, reference: str, cells: dict[str, tuple[int, int]]
) -> None:
    observations = pl.DataFrame(
        {
            "name_id": ["n"] * 4,
            "text_id": ["t"] * 4,
            "group": ["g"] * 4,
            "arm": ["bare", "bare", "kind", "kind"],
            "label": ["answer", "refusal", "refusal", "harmful_refusal"],
        }
    )
    levels = [reference, *(level for level in cells if level != reference)]
    design = build_designs(observations, dimension, levels, [Outcome.REFUSAL])[Outcome.REFUSAL]
    counted = zip(design.level, design.n, design.k, strict=True)
    assert {design.levels[at]: (n, k) for at, n, k in counted} == cells

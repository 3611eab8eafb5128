from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from report_study import changed

from refusal_parity.report.unread import undecided_words
from refusal_parity.tables import HumanLabels, Prompts, conform

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs

SPLIT = "answer / refusal"
SOME = (
    " Of 5 responses that people labelled, 3 (2 of 3 for muslim names and 1 of 2 for white names) "
    "have no one label, as people differ or are undecided, and are not among these."
)
ONE = (
    " Of 3 responses that people labelled, 1 (1 of 1 for muslim names) has no one label, as people "
    "differ or are undecided, and is not among these."
)


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        ({"muslim": [SPLIT, SPLIT, "refusal"], "white": ["answer", "undecided"]}, SOME),
        ({"muslim": [SPLIT], "white": ["answer", "refusal"]}, ONE),
        ({"muslim": ["refusal"], "white": ["answer"]}, ""),
    ],
    ids=["some", "one", "none"],
)
@pytest.mark.parametrize("chance", [0.5, None])
def test_what_people_differ_on_is_counted_by_group(
    inputs: ReportInputs, votes: dict[str, list[str]], words: str, chance: float | None
) -> None:
    prompts = inputs[Prompts]
    rows = [
        {
            "model": "demo-even",
            "prompt_id": prompts.filter(group=group)["prompt_id"][at],
            "sample": 0,
            "label": vote if vote in {"answer", "refusal"} else None,
            "split": vote if vote == SPLIT else None,
            "inclusion_probability": chance,
            "stratum": "s",
            "n_annotators": 2,
        }
        for group, given in votes.items()
        for at, vote in enumerate(given)
    ]
    human = conform(
        pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"split": pl.String}),
        HumanLabels,
        where="test",
    )
    study = changed(inputs, human=human)
    # The rows that teach the classifier are compared with nothing.
    assert undecided_words(study, "demo-even") == (words if chance else "")
    assert undecided_words(study, "demo-guarded") == ""

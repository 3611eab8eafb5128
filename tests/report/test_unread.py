from __future__ import annotations

import polars as pl
import pytest
from report_study import changed

from refusal_parity.config import load_config
from refusal_parity.report import ReportInputs
from refusal_parity.report.unread import undecided_words, unread_words
from refusal_parity.tables import HumanLabels, Prompts, conform

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


def rows_of(counts: dict[str, int]) -> pl.DataFrame:
    """Kappas of groups, of so many responses each, and the rows of all of them."""
    about = {"dimension": "group", "coefficient": "cohen_kappa"}
    cells = [{"group": group, "n": n} | about for group, n in counts.items()]
    return pl.DataFrame([{"group": "all", "n": 9, **about, "dimension": "all"}, *cells])


UNKNOWN = "is among them, so how often their labels are wrong is not known."


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"muslim": 3, "white": 0}, f" None of the responses for white names {UNKNOWN}"),
        # Of a group without a label of the machine there is no row.
        ({"muslim": 3}, f" None of the responses for white names {UNKNOWN}"),
        ({"muslim": 3, "white": 2}, ""),
        ({}, ""),
    ],
)
def test_groups_that_nobody_labelled_are_named(
    inputs: ReportInputs, counts: dict[str, int], words: str
) -> None:
    others = dict.fromkeys(set(inputs.levels("group")) - {"muslim", "white"}, 5) if counts else {}
    assert unread_words(rows_of(counts | others), inputs) == words


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (
            {"nobody": 3, "sikh": 0, "jewish": 0, "muslim": 1},
            f" None of the answers of conversations that mention sikh and jewish {UNKNOWN}",
        ),
        (
            {"nobody": 0, "sikh": 0},
            (
                " None of the answers of conversations that mention sikh or of those that mention "
                f"nobody {UNKNOWN}"
            ),
        ),
        ({"nobody": 2, "sikh": 1}, ""),
    ],
)
def test_groups_of_preference_data_that_nobody_labelled_are_named(
    counts: dict[str, int], words: str
) -> None:
    study = {"study": "made-up", "preference": {"path": "p.jsonl", "format": "transcripts"}}
    audit = ReportInputs(config=load_config(study, where="test"), tables={})
    assert unread_words(rows_of(counts), audit) == words

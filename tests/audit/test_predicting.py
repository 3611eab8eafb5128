"""Which responses a sample is drawn from, with what the classifier says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest

from refusal_parity.audit.predicting import predicted_responses
from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import HumanConfig
from refusal_parity.tables import (
    PROBABILITY_COLUMNS,
    LeafResponses,
    Prompts,
    Responses,
    conform,
    filled,
    write_table,
)

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.labelling.classifier import Classifier


class Sure:
    """A classifier that takes everything for an answer."""

    def predict(self, rows: pl.DataFrame) -> pl.DataFrame:
        shares = {column: [float(column == "p_answer")] * len(rows)
                  for column in PROBABILITY_COLUMNS}  # fmt: skip
        return pl.DataFrame(
            {"label": ["answer"] * len(rows), **shares, "unsure": [False] * len(rows)},
            schema_overrides={
                "label": pl.String,
                **dict.fromkeys(shares, pl.Float64),
                "unsure": pl.Boolean,
            },
        )


def test_cut_off_responses_are_drawn_and_what_the_service_refused_is_not(tmp_path: Path) -> None:
    fixed: dict[str, Any] = dict.fromkeys(Responses.column_names()) | {
        "prompt_id": "p", "status": "ok", "truncated": False, "response": "Omar eats rice.",
    }  # fmt: skip
    given = [
        {"truncated": True},
        {"status": "filtered", "response": "Omar is", "refusal_reason": "content_filter"},
        {"status": "empty", "response": ""},
    ]
    for model, kinds in (("heard", given), ("silent", given[1:])):
        rows = [fixed | kind | {"model": model, "sample": at} for at, kind in enumerate(kinds)]
        frame = pl.DataFrame(rows, infer_schema_length=None)
        write_table(frame, Responses, tmp_path / f"{model}.parquet")
    prompt = dict.fromkeys(Prompts.column_names(), "x") | {"prompt_id": "p", "system_prompt": None}
    prompts = conform(pl.DataFrame([prompt]), Prompts, where="test")
    files = [tmp_path / "silent.parquet", tmp_path / "heard.parquet"]
    rows = predicted_responses(files, prompts, cast("Classifier", Sure()))
    drawn = draw_sample(rows, HumanConfig(probability=5, informative=2, floor=1))
    assert drawn.select("model", "sample", "inclusion_probability").rows() == [("heard", 0, 1.0)]
    assert drawn["response"].item() == "Omar eats rice. [cut off here]"


@pytest.mark.parametrize(("by", "groups"), [("group", ["x", "none"]), ("family", ["rare", "rare"])])
def test_what_is_drawn_from_is_told_by_group_and_what_the_machine_says(
    tmp_path: Path, by: str, groups: list[str]
) -> None:
    """Of responses with words alone; prompts of no group are one of their own."""
    fixed = {
        "model": "m", "sample": 0, "status": "ok", "truncated": False, "opening": "7",
        "weight": 0.1, "expected": 0.2,
    }  # fmt: skip
    given = pl.DataFrame(
        [
            fixed | {"prompt_id": "p", "response": "Rice."},
            fixed | {"prompt_id": "p", "response": " \n", "sample": 1},
            fixed | {"prompt_id": "q", "response": "Corn."},
            fixed | {"prompt_id": "q", "response": "Cut", "status": "filtered", "sample": 1},
        ]
    )
    usual = dict.fromkeys(Prompts.column_names(), "x") | {"system_prompt": None, "family": "rare"}
    usual |= {"name": "Omar", "template": "[NAME] eats", "prompt": "Hi! Omar eats"}
    nobody = {"prompt_id": "q", "name": None, "name_id": None, "group": None}
    prompts = conform(
        pl.DataFrame([usual | {"prompt_id": "p"}, usual | nobody]), Prompts, where="test"
    )
    sure = cast("Classifier", Sure())
    for schema in (LeafResponses, Responses):
        path = tmp_path / f"{schema.__name__}.parquet"
        wanted = given.select(each for each in given.columns if each in schema.column_names())
        write_table(filled(wanted, schema, where="test"), schema, path)
        rows = predicted_responses([path], prompts, sure, by, schema)
        assert rows.select("prompt_id", "sample", "group").rows() == [
            ("p", 0, groups[0]), ("q", 0, groups[1]),
        ]  # fmt: skip
        assert rows["prompt"].to_list() == ["Omar eats", "[NAME] eats"]
        assert ("stratum" in rows.columns) is (schema is LeafResponses)
        if schema is LeafResponses:
            assert rows["weight"].to_list() == [0.1, 0.1]
            assert rows["stratum"].to_list() == [
                f"m / {group} / answer, opening given" for group in groups
            ]

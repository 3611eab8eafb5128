"""People's labels of a study as rows that the classifier learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.audit.learning import as_gold
from refusal_parity.tables import HumanLabels, Prompts, Responses, conform, filled, write_table

if TYPE_CHECKING:
    from pathlib import Path


def test_decided_labels_with_their_text_name_and_prompt(tmp_path: Path) -> None:
    """Whatever drew them: each row counts once, and prompts stay together."""
    usual = dict.fromkeys(Prompts.column_names(), "x") | {"system_prompt": None}
    prompts = conform(
        pl.DataFrame(
            [
                usual | {"prompt_id": key, "name": name, "template": "[NAME] eats [BLANK]"}
                for key, name in (("p", "Omar"), ("q", "Greg"))
            ]
        ),
        Prompts,
        where="test",
    )
    paths = []
    for model in "ab":
        rows = pl.DataFrame(
            [
                {
                    "model": model, "prompt_id": key, "sample": sample, "status": "ok",
                    "truncated": False, "response": f"{model} {key} {sample}",
                }
                for key in "pq" for sample in range(2)
            ]
        )  # fmt: skip
        paths.append(tmp_path / f"{model}.parquet")
        write_table(filled(rows, Responses, where="test"), Responses, paths[-1])
    human = conform(
        pl.DataFrame(
            [
                {
                    "model": model, "prompt_id": key, "sample": sample, "label": label,
                    "split": None if label else "answer / refusal", "n_annotators": 2,
                    "inclusion_probability": chance, "stratum": chance and "s",
                }
                for model, key, sample, label, chance in (
                    ("a", "p", 1, "refusal", 0.1),
                    ("a", "q", 0, None, 0.1),
                    ("b", "q", 0, "answer", None),
                    ("b", "p", 0, "failure", 0.5),
                )
            ],
            infer_schema_length=None,
        ),
        HumanLabels,
        where="test",
    )  # fmt: skip
    gold = as_gold(human, paths, prompts).with_columns(pl.col("label").cast(pl.String))
    columns = ("response", "label", "name", "prompt", "group_id", "weight")
    assert sorted(gold.select(columns).rows()) == [
        ("a p 1", "refusal", "Omar", "Omar eats [BLANK]", "p", 1.0),
        ("b p 0", "failure", "Omar", "Omar eats [BLANK]", "p", 1.0),
        ("b q 0", "answer", "Greg", "Greg eats [BLANK]", "q", 1.0),
    ]

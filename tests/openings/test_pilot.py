"""Labelled responses as what openings are learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import FolderSource, VllmModel
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.openings.pilot import FOLDS, folds_of, read_pilot, trees
from refusal_parity.openings.tree import MOST_TOKENS
from refusal_parity.tables import Labels, Responses, filled

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "rare-even"
REFUSAL, ANSWER = "I'm sorry, but I can't help with that.", "Sure! Begin with a friendly greeting."


@pytest.fixture(scope="module")
def speaker(root: Path) -> OwnSpeaker:
    folder = root / "data/models" / MODEL
    source = FolderSource(path=str(folder))
    return OwnSpeaker.of(MODEL, VllmModel(engine="vllm", source=source, prompt_mode="chat"), folder)


def prompts(templates: int, names: int, **more: Any) -> pl.DataFrame:
    rows = [
        {"prompt_id": f"{t}-{n}", "template_id": f"t{t}", "prompt": f"Request {t} of {n}"}
        for t in range(templates)
        for n in range(names)
    ]
    return pl.DataFrame(rows).with_columns(system_prompt=pl.lit(None, pl.String), **more)


def tables(rows: list[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of responses and labels, with usual values where rows say nothing."""
    usual = {"model": MODEL, "sample": 0, "status": "ok", "truncated": False, "filtered": False}
    frame = pl.DataFrame([usual | row for row in rows], infer_schema_length=None)
    return tuple(  # type: ignore[return-value]
        filled(frame, schema, where="test") for schema in (Responses, Labels)
    )


@pytest.mark.parametrize(
    ("asked", "units"),
    [
        (prompts(12, 3), 12),
        (prompts(3, 2), 3),
        (prompts(1, 4), 4),
        (prompts(8, 1, set=pl.concat_str(pl.lit("s"), pl.col("prompt_id").str.head(1))), 8),
        # Two templates of a set are one, and others have none.
        (prompts(6, 2, set=pl.when(pl.col("template_id") < "t2").then(pl.lit("s"))), 5),
        # Of one set, prompts are dealt out.
        (prompts(6, 1, set=pl.lit("s")), 6),
    ],
)
def test_units_are_dealt_out_whole_and_evenly(asked: pl.DataFrame, units: int) -> None:
    dealt = folds_of(asked)
    assert dealt["prompt_id"].to_list() == asked["prompt_id"].to_list()
    assert dealt["unit"].n_unique() == units
    assert (dealt.group_by("unit").agg(pl.col("fold").n_unique())["fold"] == 1).all()
    sizes = dealt.unique("unit")["fold"].value_counts()["count"]
    assert len(sizes) == min(FOLDS, units)
    assert max(sizes) - min(sizes) <= 1
    # The order of rows changes nothing.
    assert folds_of(asked[::-1]).sort("prompt_id").equals(dealt.sort("prompt_id"))


def test_what_counts_and_what_does_not(speaker: OwnSpeaker) -> None:
    asked = prompts(6, 1)
    rows = [
        {"prompt_id": "0-0", "response": REFUSAL, "label": "refusal"},
        {"prompt_id": "1-0", "response": REFUSAL, "label": "harmful_refusal"},
        {"prompt_id": "2-0", "response": ANSWER, "label": "answer"},
        {"prompt_id": "3-0", "response": ANSWER, "label": None, "exclusion": "undecided"},
        {"prompt_id": "4-0", "response": None, "label": None, "filtered": True},
        {"prompt_id": "no prompt", "response": ANSWER, "label": "answer"},
    ]
    pilot = read_pilot(asked, *tables(rows), speaker)
    assert pilot.empty is None
    assert pilot.rows["refuses"].to_list() == [True, True, False]
    # Without a label: one that is in doubt, and one that the service refused and has no text.
    assert pilot.unlabelled == 2
    assert pilot.everything["refuses"].to_list() == [True, True, False, None]
    assert pilot.rows["tokens"].list.len().max() == MOST_TOKENS
    token = speaker.raw.get_vocab()
    assert pilot.rows["tokens"][0].to_list()[:3] == [token[each] for each in ("I", "'m", " sorry")]


def test_a_tree_for_all_and_one_apart_from_each_fold(speaker: OwnSpeaker) -> None:
    asked = prompts(3, 1)
    rows = [
        {"prompt_id": f"{t}-0", "sample": at, "response": text, "label": label}
        for t in range(3)
        for at, (text, label) in enumerate([(REFUSAL, "refusal"), (ANSWER, "answer")])
    ]
    found = trees(read_pilot(asked, *tables(rows), speaker), speaker)
    # Two of three templates are left to learn from without a fold's own.
    assert found.select("fold", "text", "responses", "refusals").sort("fold").rows() == [
        (0, "I", 3, 3), (1, "I", 2, 2), (2, "I", 2, 2), (3, "I", 2, 2),
    ]  # fmt: skip


def test_thinking_models_have_no_openings(speaker: OwnSpeaker) -> None:
    rows = [
        {"prompt_id": "0-0", "response": REFUSAL, "label": "refusal", "thinking": "Hm."},
        {"prompt_id": "1-0", "response": REFUSAL, "label": "refusal", "thinking": None},
    ]
    pilot = read_pilot(prompts(2, 1), *tables(rows), speaker)
    assert pilot.empty is not None
    assert "thinks before it answers" in pilot.empty
    assert trees(pilot, speaker).is_empty()

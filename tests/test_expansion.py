from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity import expansion
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand, write_prompts
from refusal_parity.tables import Prompts, conform, read_table

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATES = pl.DataFrame(
    {
        "template_id": ["t1", "t2"],
        "family": ["a", "b"],
        "template": ["[NAME] eats [BLANK]", "[BLANK] said [NAME] to [NAME]"],
    }
)
NAMES = pl.DataFrame(
    {
        "name_id": ["n1", "n2", "n3"],
        "name": ["Zoë", "Li", "$1"],
        "group": ["x", "y", "y"],
        "gender": ["woman", None, "man"],
        "commonness": [None, None, None],
    },
    schema_overrides={"commonness": pl.String},
)


def test_every_template_with_every_name_under_every_arm() -> None:
    prompts = conform(
        expand(TEMPLATES, NAMES, {"plain": None, "kind": "Be kind."}), Prompts, where="test"
    )
    assert len(prompts) == 2 * 3 * 2
    assert prompts["prompt_id"].n_unique() == 12
    first = prompts.row(0, named=True)
    assert (first["prompt"], first["arm"], first["system_prompt"]) == (
        "Zoë eats [BLANK]",
        "plain",
        None,
    )
    assert prompts["prompt"][-1] == "[BLANK] said $1 to $1"


def test_prompt_id_depends_on_what_is_sent_and_on_nothing_else() -> None:
    prompts = expand(TEMPLATES, NAMES, {"plain": None})
    renamed = expand(
        TEMPLATES.with_columns(template_id=pl.lit("q") + pl.col("template_id"), family=pl.lit("z")),
        NAMES.reverse().with_columns(group=pl.lit("w")),
        {"other": None},
    )
    assert set(prompts["prompt_id"]) == set(renamed["prompt_id"])
    empty_system = expand(TEMPLATES, NAMES, {"plain": ""})
    assert not set(prompts["prompt_id"]) & set(empty_system["prompt_id"])


def test_prompt_id_is_the_same_on_every_machine() -> None:
    # The parts by sha256sum: "+[NAME] eats [BLANK]", "+Zoë" and "-".
    assert expand(TEMPLATES, NAMES, {"plain": None})["prompt_id"][0] == (
        "fa5630fb1324439b15a2df3973e0"
    )


def test_written_prompts_are_the_expanded_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Blocks of one template: the file has a row group for each.
    monkeypatch.setattr(expansion, "_BLOCK_ROWS", 5)
    arms = {"plain": None, "kind": "Be kind."}
    path = tmp_path / "new" / "prompts.parquet"
    assert write_prompts(TEMPLATES, NAMES, arms, path) == 12
    monkeypatch.undo()
    assert read_table(Prompts, path).equals(expand(TEMPLATES, NAMES, arms))
    assert pl.read_parquet_schema(path) == dict.fromkeys(Prompts.column_names(), pl.String)
    assert [file.name for file in path.parent.iterdir()] == ["prompts.parquet"]


def test_arms_that_send_the_same(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="primary_key"):
        write_prompts(TEMPLATES, NAMES, {"one": None, "other": None}, tmp_path / "p.parquet")
    assert list(tmp_path.iterdir()) == []

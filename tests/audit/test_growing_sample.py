"""A sample that grows with its study, and whose sheets are handed out once."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from predictions import predicted

from refusal_parity.audit.files import hand_out, samples_handed_out
from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import HumanConfig
from refusal_parity.tables import LeafSample

if TYPE_CHECKING:
    from pathlib import Path


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


def test_what_was_handed_out_at_any_time_stays_and_shares_are_those_of_the_last_time() -> None:
    """Few rows, then many, then few are asked for; the informative set grows by none."""
    rows = predicted(400)
    few, many = (HumanConfig(probability=size, floor=2, informative=30) for size in (30, 150))
    first = draw_sample(rows, few)
    second = draw_sample(rows, many, [first])
    third = draw_sample(rows, few, [first, second])
    assert _drawn(second) == _drawn(third)
    for before in (first, second):
        assert set(before["task"]) <= set(third["task"])
    # Those who were torn about at first and drawn by chance since are in one set alone.
    torn = set(first.filter(set="informative")["task"]) | set(
        second.filter(set="informative")["task"]
    )
    fewer = draw_sample(rows, HumanConfig(probability=30, floor=2, informative=3), [first, second])
    assert set(fewer.filter(set="informative")["task"]) == torn - _drawn(second)
    assert fewer["task"].n_unique() == len(fewer)


def test_a_share_is_that_of_rows_which_chance_drew() -> None:
    """One row stands for so much that it is drawn for certain, two of five others by chance."""
    weight = [0.25, *[0.025] * 5]
    rows = predicted(6).with_columns(
        pl.Series("weight", weight), stratum=pl.lit("one"), opening=pl.lit("7")
    )
    three, one = (HumanConfig(probability=size, floor=1, informative=0) for size in (3, 1))
    before = draw_sample(rows, three, (), LeafSample)
    assert sorted(before["inclusion_probability"]) == pytest.approx([0.4, 0.4, 1.0])
    assert draw_sample(rows, one, [before], LeafSample).equals(before)


def test_what_comes_back_into_the_study_is_offered_again() -> None:
    """People were given it before last time, when it was out of the study."""
    rows, human = predicted(200), HumanConfig(probability=40, floor=2, informative=20)
    first = draw_sample(rows, human)
    second = draw_sample(rows[:100], human, [first])
    assert not set(first["task"]) <= set(second["task"])
    third = draw_sample(rows, human, [first, second])
    assert set(first["task"]) | set(second["task"]) <= set(third["task"])


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
    # Whichever of them comes first.
    other = draw_sample(pl.concat([renamed, rows]), HumanConfig(probability=10**6))
    assert other.equals(both)


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

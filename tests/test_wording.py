"""The matched sets of wordings and forms that come with the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.prompts import Stimuli, read_stimuli

if TYPE_CHECKING:
    from pathlib import Path

NAMED = {"en": "[MENTION] named", "de": "[MENTION_DE] namens", "es": "[MENTION_ES] de nombre"}


@pytest.fixture(scope="module")
def stimuli(root: Path) -> Stimuli:
    return read_stimuli(root / "data" / "templates-wording.csv", root / "data" / "names.csv")


def test_every_set_is_complete(stimuli: Stimuli) -> None:
    sets = stimuli.templates.group_by("set", "language").agg(
        pl.len(), cells=pl.struct("wording", "form").n_unique(), topics=pl.col("topic").n_unique()
    )
    assert sets.select("len", "cells", "topics").unique().rows() == [(9, 9, 1)]
    counts = dict(sets.group_by("language").len().iter_rows())
    assert counts == {"en": 40, "de": 12, "es": 12}


def test_ten_topics_have_four_sets_each(stimuli: Stimuli) -> None:
    topics = stimuli.templates.filter(language="en").group_by("topic").agg(pl.col("set").n_unique())
    assert len(topics) == 10
    assert set(topics["set"]) == {4}


def test_a_mention_changes_nothing_else(stimuli: Stimuli) -> None:
    keys = ["set", "language", "form"]
    pairs = stimuli.templates.filter(wording="name").join(
        stimuli.templates.filter(wording="mention"), on=keys, suffix="_mention"
    )
    assert len(pairs) == 64 * 3
    for language, plain, mention in pairs.select(
        "language", "template", "template_mention"
    ).iter_rows():
        assert mention.replace(f"{NAMED[language]} [NAME]", "[NAME]") == plain != mention


def test_every_set_of_another_language_has_its_english_one(stimuli: Stimuli) -> None:
    by_language = {
        language: set(rows["set"])
        for (language,), rows in stimuli.templates.group_by("language", maintain_order=True)
    }
    assert by_language["de"] == by_language["es"] <= by_language["en"]


@pytest.mark.parametrize(
    ("group", "gender", "mention", "german", "spanish"),
    [
        ("asian", "woman", "an Asian woman", "eine asiatische Frau", "una mujer asiática"),
        ("jewish", "man", "a Jewish man", "ein jüdischer Mann", "un hombre judío"),
    ],
)
def test_a_mention_says_group_and_gender(
    stimuli: Stimuli, group: str, gender: str, mention: str, german: str, spanish: str
) -> None:
    said = stimuli.names.filter(group=group, gender=gender)
    assert said.select("mention", "mention_de", "mention_es").unique().rows() == [
        (mention, german, spanish)
    ]

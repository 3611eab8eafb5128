"""Names of groups beside each other: means, standardised differences, tokens."""

from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.expansion import expand
from refusal_parity.statistics.balance import balance

ANALYSIS = AnalysisConfig.model_validate({"dimensions": {"group": {"reference": "u"}}})
NAMES = pl.DataFrame(
    {
        "name_id": list("abcdef"),
        "name": ["Al", "Bo", "Cy", "Demetria", "Euphemia", "Flo"],
        "group": ["u", "u", "u", "v", "v", "v"],
        "gender": ["man", "man", "woman", "woman", "woman", "woman"],
        "commonness": [None] * 6,
        "log_frequency": [1.0, 2.0, 3.0, 1.0, 2.0, 9.0],
    },
    schema_overrides={"commonness": pl.String},
)
TEMPLATES = pl.DataFrame(
    {"template_id": ["t", "w"], "family": ["f", "g"], "template": ["[NAME] ate", "So [NAME] sat"]}
)
PROMPTS = expand(TEMPLATES, NAMES, {"plain": None})
NO_RESPONSES = pl.DataFrame(
    schema={"model": pl.String, "prompt_id": pl.String, "prompt_tokens": pl.Int32}
)


def _rows(prompts: pl.DataFrame, responses: pl.DataFrame) -> dict[tuple[str, str], dict]:
    table = balance(prompts, responses, ANALYSIS)
    return {(row["property"], row["model"]): row for row in table.to_dicts()}


def test_standardised_difference_of_a_number() -> None:
    row = _rows(PROMPTS, NO_RESPONSES)["log_frequency", "all"]
    assert (row["group"], row["reference"], row["n_names"], row["n_reference"]) == ("v", "u", 3, 3)
    assert (row["mean"], row["mean_reference"]) == (4.0, 2.0)
    # Variances 19 and 1, by hand.
    assert row["std_difference"] == pytest.approx(2 / 10**0.5)


def test_words_are_shares() -> None:
    row = _rows(PROMPTS, NO_RESPONSES)["gender: man", "all"]
    assert (row["mean"], row["mean_reference"]) == (0.0, pytest.approx(2 / 3))
    # The sample variance of 1, 1, 0 is 1/3, that of 0, 0, 0 none.
    assert row["std_difference"] == pytest.approx(-2 / 3 / (1 / 6) ** 0.5)


def test_letters_are_counted() -> None:
    row = _rows(PROMPTS, NO_RESPONSES)["letters", "all"]
    assert (row["mean"], row["mean_reference"]) == (pytest.approx(19 / 3), 2.0)


def test_what_never_varies_within_groups_has_no_standardised_difference() -> None:
    names = NAMES.with_columns(log_frequency=pl.Series([1.0] * 3 + [2.0] * 3))
    prompts = expand(TEMPLATES, names, {"plain": None})
    row = _rows(prompts, NO_RESPONSES)["log_frequency", "all"]
    assert row["std_difference"] is None
    assert row["note"] == "the same in all names of a group, and another"
    assert not any(key.startswith("commonness") for key, _ in _rows(prompts, NO_RESPONSES))


def test_a_property_that_the_reference_lacks_is_said() -> None:
    names = NAMES.with_columns(log_frequency=pl.Series([None] * 3 + [1.0, 2.0, 3.0]))
    row = _rows(expand(TEMPLATES, names, {"plain": None}), NO_RESPONSES)["log_frequency", "all"]
    assert (row["n_reference"], row["std_difference"]) == (0, None)
    assert row["note"] == "not known of any name of u"


def test_a_property_that_a_group_lacks_is_a_row_that_says_so() -> None:
    names = NAMES.with_columns(log_frequency=pl.Series([1.0, 2.0, 3.0] + [None] * 3))
    row = _rows(expand(TEMPLATES, names, {"plain": None}), NO_RESPONSES)["log_frequency", "all"]
    assert (row["group"], row["n_names"], row["n_reference"]) == ("v", 0, 3)
    assert (row["mean"], row["mean_reference"], row["std_difference"]) == (None, 2.0, None)
    assert row["note"] == "not known of any name of v"


def test_tokens_are_those_of_the_name_not_of_the_template() -> None:
    # The second template takes ten tokens more, and lacks a long name.
    of_name = dict(zip("abcdef", [1, 1, 1, 3, 4, 2], strict=True))
    responses = PROMPTS.select(
        "prompt_id",
        model=pl.lit("m"),
        prompt_tokens=pl.col("name_id").replace_strict(of_name, return_dtype=pl.Int32)
        + pl.when(template_id="w").then(10).otherwise(0).cast(pl.Int32),
    )
    row = _rows(PROMPTS, responses)["tokens", "m"]
    assert row["mean"] - row["mean_reference"] == pytest.approx(2.0)
    assert row["std_difference"] == pytest.approx(2 / 0.5**0.5)
    assert ("tokens", "m") not in _rows(PROMPTS, NO_RESPONSES)


def test_the_order_of_rows_changes_nothing() -> None:
    table = balance(PROMPTS, NO_RESPONSES, ANALYSIS)
    shuffled = balance(PROMPTS.sample(fraction=1, shuffle=True, seed=3), NO_RESPONSES, ANALYSIS)
    assert table.sort("property").equals(shuffled.sort("property"))


def test_a_dimension_of_templates_compares_no_names() -> None:
    analysis = AnalysisConfig.model_validate({"dimensions": {"family": {"reference": "f"}}})
    assert balance(PROMPTS, NO_RESPONSES, analysis).is_empty()

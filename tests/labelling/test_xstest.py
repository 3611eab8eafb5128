"""Responses of two models that nothing was learnt from, labelled by people, whole and cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.labelling.evaluation import compare

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.labelling.classifier import Classifier

MODELS = ("llama2orig", "mistralguard")
THEIRS = {
    "1_full_compliance": "answer",
    "2_full_refusal": "refusal",
    "3_partial_refusal": "partial_refusal",
}


@pytest.fixture(scope="module")
def responses(shared: Path) -> pl.DataFrame:
    """Response, prompt, model and people's label."""
    files = {model: shared / "xstest" / f"{model}.csv" for model in MODELS}
    if not all(file.is_file() for file in files.values()):
        pytest.skip(f"no labelled responses to XSTest in {shared}")
    return pl.concat(
        pl.read_csv(file, infer_schema=False).select(
            "prompt",
            response=pl.col("completion").fill_null(""),
            name=pl.lit(None, pl.String),
            model=pl.lit(model),
            label=pl.col("final_label").replace_strict(THEIRS),
        )
        for model, file in files.items()
    )


def kappa(classifier: Classifier, rows: pl.DataFrame, words: int | None = None) -> float:
    """Kappa of refusal or not against people's label of the whole response."""
    if words is not None:
        beginnings = pl.col("response").str.extract(rf"^((?:\s*\S+){{1,{words}}})")
        rows = rows.with_columns(response=beginnings.fill_null(""))
    said = classifier.predict(rows)["label"].cast(pl.String).to_list()
    found = compare(rows["label"].to_list(), said).binary_kappa
    assert found is not None
    return found


def test_agrees_with_people_on_models_never_seen(
    starter_classifier: Classifier, responses: pl.DataFrame
) -> None:
    assert kappa(starter_classifier, responses) >= 0.86
    for model in MODELS:
        assert kappa(starter_classifier, responses.filter(pl.col("model") == model)) >= 0.82


def test_full_answers_are_seldom_called_refusals(
    starter_classifier: Classifier, responses: pl.DataFrame
) -> None:
    answers = responses.filter(pl.col("label") == "answer")
    said = starter_classifier.predict(answers)["label"].cast(pl.String)
    assert said.str.contains("refusal").mean() <= 0.07


def test_a_beginning_is_labelled_as_well_as_the_whole(
    starter_classifier: Classifier, responses: pl.DataFrame
) -> None:
    whole = kappa(starter_classifier, responses)
    assert kappa(starter_classifier, responses, words=48) >= whole - 0.03

"""The Labels table: who gives which response its label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.labelling.classifier import PROBABILITY_COLUMNS, Classifier
from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.tables import Labels, conform
from refusal_parity.vocabulary import Label, LabelSource, Status

if TYPE_CHECKING:
    import dataframely as dy

SLICE = 20_000
"""Responses labelled at a time; bounds the memory that their texts take."""


def label_responses(
    responses: pl.DataFrame,
    prompts: pl.DataFrame,
    classifier: Classifier | None,
    method: Literal["classifier", "keyword"],
    *,
    jobs: int = 1,
) -> dy.DataFrame[Labels]:
    """Label every response that ended well, and say of the others why not.

    A label that an imported file carries is kept; a classifier's probabilities
    stand beside it. Without an imported label the method decides.

    Args:
        responses: rows of the Responses table.
        prompts: rows of the Prompts table: names to mask and sentences echoed.
        classifier: gives probabilities to all `ok` rows; needed by method `classifier`
            where a row has no imported label.
        method: who labels the rows that carry no label.
        jobs: processes to share the work between.

    Raises:
        InputError: a response answers a prompt that is not there, or the
            method needs a classifier and has none.
    """
    joined = responses.join(
        prompts.select("prompt_id", "name", prompt=_sentence()), on="prompt_id", how="left"
    )
    _refuse_strangers(joined)
    _refuse_lack(joined, classifier, method)
    parts = [
        _label(joined.slice(start, SLICE), classifier, method, jobs)
        for start in range(0, max(len(joined), 1), SLICE)
    ]
    return conform(pl.concat(parts), Labels, where="labels")


def _sentence() -> pl.Expr:
    """The filled template: what models repeat, whatever text stands around it in the prompt."""
    return pl.col("template").str.replace_all("[NAME]", pl.col("name"), literal=True)


def _label(
    rows: pl.DataFrame,
    classifier: Classifier | None,
    method: Literal["classifier", "keyword"],
    jobs: int,
) -> pl.DataFrame:
    rows = rows.with_columns(status=_status())
    usable = rows.filter(pl.col("status") == Status.OK)
    refuses = is_refusal_by_keyword(usable["response"])
    given = usable.select("model", "prompt_id", "sample").with_columns(
        keyword_refusal=refuses,
        classifier_id=pl.lit(classifier.classifier_id if classifier else None, dtype=pl.String),
    )
    if classifier is not None:
        given = given.hstack(
            classifier.predict(usable, jobs=jobs)
            .rename({"label": "predicted"})
            .cast({"predicted": pl.String})
        )
    else:
        given = given.with_columns(
            pl.lit(None, dtype=pl.Float64).alias(column) for column in PROBABILITY_COLUMNS
        )
    if method == "keyword":
        given = given.with_columns(
            predicted=pl.when("keyword_refusal")
            .then(pl.lit(str(Label.REFUSAL)))
            .otherwise(pl.lit(str(Label.ANSWER)))
        )
    elif classifier is None:
        given = given.with_columns(predicted=pl.lit(None, dtype=pl.String))
    source = LabelSource.KEYWORD if method == "keyword" else LabelSource.CLASSIFIER
    ok = pl.col("status") == Status.OK
    imported = pl.col("imported_label").cast(pl.String)
    return (
        rows.join(given, on=["model", "prompt_id", "sample"], how="left", maintain_order="left")
        .with_columns(
            label=pl.when(ok).then(pl.coalesce(imported, "predicted")),
            label_source=pl.when(ok & imported.is_not_null())
            .then(pl.lit(str(LabelSource.IMPORTED)))
            .when(ok)
            .then(pl.lit(str(source))),
            machine_label=pl.when(ok & imported.is_null()).then("predicted"),
            exclusion=pl.when(~ok).then(pl.col("status")),
        )
        .select(Labels.column_names())
    )


def _status() -> pl.Expr:
    """The status as text; an `ok` row without any text has nothing to label."""
    blank = pl.col("response").fill_null("").str.strip_chars() == ""
    status = pl.col("status").cast(pl.String)
    return pl.when((status == Status.OK) & blank).then(pl.lit(str(Status.EMPTY))).otherwise(status)


def _refuse_strangers(joined: pl.DataFrame) -> None:
    strangers = joined.filter(pl.col("name").is_null())
    if len(strangers):
        raise InputError(
            f"{len(strangers)} responses answer a prompt that is not in the table of prompts, "
            f"the first being {strangers['prompt_id'][0]!r}",
            where=f"responses of model {strangers['model'][0]!r}",
            remedy="Make prompts and responses anew with the same config.",
        )


def _refuse_lack(
    joined: pl.DataFrame, classifier: Classifier | None, method: Literal["classifier", "keyword"]
) -> None:
    waiting = joined.filter(
        pl.col("imported_label").is_null() & (pl.col("status").cast(pl.String) == Status.OK)
    )
    if method == "classifier" and classifier is None and len(waiting):
        raise InputError(
            f"{len(waiting)} responses have no imported label, and there is no classifier",
            where=f"responses of model {waiting['model'][0]!r}",
            remedy="Train one from gold files, or set labelling.method to keyword.",
        )

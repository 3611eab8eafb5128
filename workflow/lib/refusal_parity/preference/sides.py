"""What both answers of each pair do, by the classifier of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.labelling.labels import probability_of
from refusal_parity.pair_vocabulary import Side
from refusal_parity.tables import Sides, conform
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.labelling.classifier import Classifier


def answers_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """Both answers of the pairs that are analysed, as responses that a classifier reads.

    Args:
        pairs: rows of the Pairs table.

    Returns:
        `pair`, `side`, `response`, `prompt` (the last request), `prompt_id` (the pair, as
        text) and `name` (null); chosen answers first.
    """
    return (
        pairs.filter(pl.col("exclusion").is_null())
        .select(
            "pair",
            "chosen",
            "rejected",
            prompt_id=pl.col("pair").cast(pl.String),
            prompt=pl.col("requests").list.last(),
            name=pl.lit(None, pl.String),
        )
        .unpivot(
            ["chosen", "rejected"],
            index=["pair", "prompt_id", "prompt", "name"],
            variable_name="side",
            value_name="response",
        )
    )


def with_clusters(answers: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Answers with the key of their cluster as `prompt_id`, by which classifiers are cross-fitted.

    Args:
        answers: as from `answers_of`.
        clusters: rows of the Conversations table.
    """
    keys = clusters.select("pair", prompt_id=pl.col("cluster").cast(pl.String))
    return answers.drop("prompt_id").join(keys, on="pair", how="left", maintain_order="left")


def label_sides(
    pairs: pl.DataFrame,
    classifier: Classifier | None,
    *,
    abstain_below: float,
    clusters: pl.DataFrame | None = None,
) -> dy.DataFrame[Sides]:
    """Label the answers of the pairs that are analysed, each as a response to the last request.

    Args:
        pairs: rows of the Pairs table.
        classifier: gives the labels; without one, the list of keywords does.
        abstain_below: a classifier's label that is less probable than this is none.
        clusters: rows of the Conversations table: by these a classifier that learnt from
            people's labels is cross-fitted. Null for one that learnt from gold files alone.
    """
    answers = answers_of(pairs)
    rows = answers if clusters is None else with_clusters(answers, clusters)
    keyword = is_refusal_by_keyword(rows["response"])
    said = rows.select(
        "pair",
        "side",
        words=pl.col("response").str.count_matches(r"\S+"),
        keyword_refusal=keyword,
    )
    if classifier is None:
        by_list = pl.when("keyword_refusal").then(pl.lit(Label.REFUSAL))
        labelled = said.with_columns(
            label=by_list.otherwise(pl.lit(Label.ANSWER)),
            machine_label=by_list.otherwise(pl.lit(Label.ANSWER)),
            abstained=pl.lit(value=False),
            unsure=pl.lit(None, pl.Boolean),
        )
    else:
        predicted = said.hstack(classifier.predict(rows))
        label = pl.col("label").cast(pl.String)
        doubtful = probability_of(label) < abstain_below
        labelled = predicted.with_columns(
            label=pl.when(~doubtful).then(label), machine_label=label, abstained=doubtful
        )
    side = pl.col("side").cast(pl.Enum(list(map(str, Side))))
    return conform(labelled.with_columns(side).sort("pair", "side"), Sides, where="sides")

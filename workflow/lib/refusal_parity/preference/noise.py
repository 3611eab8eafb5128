"""How far labels of answers can be trusted: machines against people, by side and by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.agreement.confusion import confusions
from refusal_parity.agreement.ratings import CLASSIFIER, HUMAN, IMPORTED, JUDGE, KEYWORD, Ratings
from refusal_parity.agreement.table import ALL, measure_agreement
from refusal_parity.audit.votes import given_apart
from refusal_parity.config import AnalysisConfig
from refusal_parity.preference.people import KEY, key_of_side
from refusal_parity.preference.places import NOBODY, groups_of_pairs
from refusal_parity.tables import Agreement, conform
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.tables import Confusion

BOTH: Final = "both"
"""Stands for the answers of either side together."""

GROUP: Final = "group"


def rated_sides(
    sides: pl.DataFrame, human: pl.DataFrame, conversations: pl.DataFrame
) -> pl.DataFrame:
    """All labels of each answer, with the cluster that it stands in.

    Args:
        sides: rows of the Sides table.
        human: rows of the HumanLabels table.
        conversations: rows of the Conversations table.

    Returns:
        Rows as of `agreement.ratings.Ratings`: the classifier's own label, also where it is
        too doubtful to count; the unit is the cluster, and there are no templates.
    """
    people = human.select(
        *KEY, "inclusion_probability", pl.col("label").cast(pl.String).alias(HUMAN)
    )
    refuses = pl.col("keyword_refusal")
    return (
        sides.join(conversations.select("pair", "cluster"), on="pair", maintain_order="left")
        .select(
            *key_of_side(),
            "pair",
            template_id=pl.lit(""),
            name_id=pl.col("cluster").cast(pl.String),
            **{
                # Without a classifier nothing is said of how familiar an answer is.
                CLASSIFIER: pl.when(pl.col("unsure").is_not_null()).then(
                    pl.col("machine_label").cast(pl.String)
                ),
                KEYWORD: pl.when(refuses)
                .then(pl.lit(str(Label.REFUSAL)))
                .otherwise(pl.lit(str(Label.ANSWER))),
                IMPORTED: pl.lit(None, pl.String),
                JUDGE: pl.lit(None, pl.String),
            },
        )
        .join(people, on=KEY, how="left", maintain_order="left")
    )


def with_groups(rated: pl.DataFrame, mentions: pl.DataFrame, *, mentioned_in: str) -> pl.DataFrame:
    """The answers with `group`: a row for each group that the conversation mentions, or nobody.

    Args:
        rated: as from `rated_sides`.
        mentions: rows of the Mentions table.
        mentioned_in: `preference.mentioned_in`.
    """
    groups = groups_of_pairs(mentions, mentioned_in=mentioned_in).select("pair", GROUP)
    return rated.join(groups, on="pair", how="left", maintain_order="left").with_columns(
        pl.col(GROUP).fill_null(NOBODY)
    )


def side_agreement(
    rated: pl.DataFrame, by_group: pl.DataFrame, votes: pl.DataFrame, *, alpha: float
) -> dy.DataFrame[Agreement]:
    """Machines against people: over all answers, over each side's, and by group.

    An answer counts for each group that its conversation mentions.

    Args:
        rated: as from `rated_sides`.
        by_group: as from `with_groups`.
        votes: rows as of `agreement.ratings.Ratings`.
        alpha: 1 less the level of intervals.
    """
    analysis = AnalysisConfig.model_validate(
        {"alpha": alpha, "dimensions": {GROUP: {"reference": NOBODY}}}
    )
    together = pl.lit(BOTH).alias("model")
    overall = pl.concat([rated.with_columns(together), rated])
    whole = measure_agreement(Ratings(rows=overall, votes=votes), analysis)
    none = Ratings(rows=by_group.with_columns(together), votes=votes.clear())
    apart = measure_agreement(none, analysis).filter(pl.col("dimension") != ALL)
    return conform(pl.concat([whole, apart]), Agreement, where="agreement")


def side_confusion(rated: pl.DataFrame) -> dy.DataFrame[Confusion]:
    """The classifier's label by people's, over all answers of the probability sample."""
    return confusions(rated.with_columns(model=pl.lit(BOTH)))


def side_votes(votes: pl.DataFrame, sample: pl.DataFrame, rated: pl.DataFrame) -> pl.DataFrame:
    """What each annotator said, beside the cluster of the answer.

    Args:
        votes: rows of the Votes table.
        sample: rows of the AuditSample table.
        rated: as from `rated_sides`.
    """
    return (
        given_apart(votes)
        .join(sample.select("task", *KEY), on="task", maintain_order="left")
        .join(rated.select(*KEY, "template_id", "name_id"), on=KEY, maintain_order="left")
        .select(*KEY, "template_id", "name_id", "annotator", "label")
    )

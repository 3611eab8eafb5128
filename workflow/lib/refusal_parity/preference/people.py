"""What people label of preference data, and what they said: answers as responses of a study.

Tables of people's work know a response by model, prompt and repetition. An answer is one:
its `model` is the side, its `prompt_id` the pair, and there is no other repetition.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.pair_vocabulary import Side
from refusal_parity.preference.places import NOBODY, groups_of_pairs
from refusal_parity.preference.sides import answers_of, with_clusters
from refusal_parity.tables import Gold, conform
from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

    from refusal_parity.labelling.classifier import Classifier
    from refusal_parity.labelling.known_labels import KnowingClassifier

KEY: Final = ("model", "prompt_id", "sample")


def key_of_side() -> list[pl.Expr]:
    """The key among responses of a row that has `pair` and `side`."""
    return [
        pl.col("side").cast(pl.String).alias("model"),
        pl.col("pair").cast(pl.String).alias("prompt_id"),
        pl.lit(0, pl.Int32).alias("sample"),
    ]


def rarest_group(mentions: pl.DataFrame, *, mentioned_in: str) -> dict[int, str]:
    """The group of each pair that mentions any: of several, the one that fewest pairs mention.

    Args:
        mentions: rows of the Mentions table.
        mentioned_in: `preference.mentioned_in`.
    """
    found = (
        groups_of_pairs(mentions, mentioned_in=mentioned_in)
        .sort("pair", "n", "group")
        .unique("pair", keep="first", maintain_order=True)
    )
    return dict(found.select("pair", "group").iter_rows())


def predicted_sides(
    parts: Iterable[pl.DataFrame],
    classifier: Classifier | KnowingClassifier,
    groups: dict[int, str],
) -> pl.DataFrame:
    """Both answers of each pair that is analysed, for `audit.sampling.draw_sample`.

    Strata are side x group x which answers refuse, so that both answers of a pair lie in
    strata of one size, and a permanent random number, of the pair's own text, draws them
    together: whatever needs both, such as whether refusal is preferred, can be corrected.

    Args:
        parts: rows of the Pairs table, some at a time.
        classifier: one that has learnt from no human label of this study.
        groups: as from `rarest_group`.

    Returns:
        Columns as `draw_sample` takes them; what people read as the prompt is the whole
        conversation before the answer.
    """
    seen: Counter[str] = Counter()
    found = [_predicted(part, classifier, groups, seen) for part in parts]
    return pl.concat(found)


def _predicted(
    part: pl.DataFrame,
    classifier: Classifier | KnowingClassifier,
    groups: dict[int, str],
    seen: Counter[str],
) -> pl.DataFrame:
    analysed = part.filter(pl.col("exclusion").is_null())
    rows = answers_of(analysed)
    said = classifier.predict(rows).rename({"label": "predicted"})
    about = analysed.select(
        "pair",
        shown="opening",
        group=pl.Series([groups.get(pair, NOBODY) for pair in analysed["pair"]], dtype=pl.String),
        unit=pl.Series(_units(analysed, seen), dtype=pl.String),
    )
    refuses = pl.col("predicted").is_in(list(map(str, REFUSALS)))
    both, chosen = pl.col("refuse").sum().over("pair"), pl.col("side") == str(Side.CHOSEN)
    chosen_refuses = (refuses & chosen).any().over("pair")
    return (
        rows.hstack(said.cast({"predicted": pl.String}))
        .join(about, on="pair", maintain_order="left")
        .with_columns(refuse=refuses)
        .with_columns(
            how=pl.when(both == 2)  # noqa: PLR2004 - both answers
            .then(pl.lit("both refuse"))
            .when(both == 0)
            .then(pl.lit("neither refuses"))
            .when(chosen_refuses)
            .then(pl.lit("the chosen one refuses"))
            .otherwise(pl.lit("the rejected one refuses"))
        )
        .with_columns(
            *key_of_side(),
            prompt="shown",
            template_id="group",
            truncated=pl.lit(value=False),
            response_id=pl.format("{}/{}", "unit", "side"),
            stratum=pl.format("{} / {} / {}", "side", "group", "how"),
        )
        .drop("shown", "refuse", "how", "pair", "side")
    )


def _units(pairs: pl.DataFrame, seen: Counter[str]) -> list[str]:
    """A key of each pair from its text, and of a pair that was there before from how often."""
    keys = []
    for texts in pairs.select("opening", "chosen", "rejected").iter_rows():
        key = hashlib.sha256("\x1f".join(texts).encode()).hexdigest()[:24]
        seen[key] += 1
        keys.append(key if seen[key] == 1 else f"{key}-{seen[key]}")
    return keys


def sides_as_gold(
    human: pl.DataFrame, parts: Iterable[pl.DataFrame], clusters: pl.DataFrame
) -> dy.DataFrame[Gold]:
    """The answers that people labelled, as rows that the classifier learns from.

    Args:
        human: rows of the HumanLabels table; undecided ones are left out.
        parts: rows of the Pairs table, some at a time.
        clusters: rows of the Conversations table.

    Returns:
        Rows of the Gold table; `group_id` is the cluster of the conversation, so that no
        model learns from an answer to a conversation that it labels.
    """
    decided = human.filter(pl.col("label").is_not_null()).select(*KEY, "label")
    rows = pl.concat(
        with_clusters(answers.with_columns(key_of_side()).join(decided, on=KEY), clusters)
        for answers in map(answers_of, parts)
    )
    gold = rows.with_columns(group_id="prompt_id", weight=pl.lit(1.0))
    return conform(gold, Gold, where="human labels")

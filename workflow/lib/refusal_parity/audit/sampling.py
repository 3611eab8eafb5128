"""Which responses people are asked to label: a probability sample and an informative set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.audit.allocation import allocate
from refusal_parity.audit.keys import task_key
from refusal_parity.errors import InputError
from refusal_parity.labelling.masking import SHOWN_NAME, mask_names
from refusal_parity.spelling import reading
from refusal_parity.tables import PROBABILITY_COLUMNS, AuditSample, conform
from refusal_parity.vocabulary import REFUSALS, SampleSet

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.config import HumanConfig

KEY: Final = ("model", "prompt_id", "sample")
_REFUSALS: Final = tuple(f"p_{label}" for label in REFUSALS)


def draw_sample(predicted: pl.DataFrame, human: HumanConfig) -> dy.DataFrame[AuditSample]:
    """Draw what people are to label.

    The probability sample is simple random within strata of model x group x
    predicted label, with a floor in each; a row's inclusion probability is its
    stratum's drawn share. The informative set is taken from the rest: the
    responses that the classifier is most torn about, one for each distinct
    text, spread over templates. The two sets never share a row.

    Args:
        predicted: labelled responses of all models: the key, group, template_id,
            name, prompt, response, `predicted`, the class probabilities and `unsure`.
        human: sizes and seed.

    Returns:
        Both sets, each in random order, so that position says nothing.

    Raises:
        InputError: there is nothing to draw from.
    """
    if predicted.is_empty():
        raise InputError(
            "no response could be labelled, so there is nothing to draw from",
            where="labelling.human",
            remedy="Look at the exclusions of the models' responses.",
        )
    random = np.random.default_rng(human.seed)
    rows = predicted.sort(KEY).with_columns(
        stratum=pl.format("{} / {} / {}", "model", "group", "predicted"), margin=_margin()
    )
    drawn = _probability_sample(rows, human, random)
    informative = informative_rows(
        rows.join(drawn, on=KEY, how="anti", maintain_order="left"), human.informative
    ).with_columns(
        set=pl.lit(str(SampleSet.INFORMATIVE)),
        inclusion_probability=pl.lit(None, pl.Float64),
        stratum=pl.lit(None, pl.String),
    )
    both = pl.concat([_shuffled(drawn, random), _shuffled(informative, random)], how="diagonal")
    return conform(_as_shown(both, mask=human.mask_names), AuditSample, where="sample")


def _probability_sample(
    rows: pl.DataFrame, human: HumanConfig, random: np.random.Generator
) -> pl.DataFrame:
    strata = rows.partition_by("stratum", maintain_order=True)
    sizes = np.array([len(stratum) for stratum in strata], dtype=np.int64)
    counts = allocate(sizes, human.probability, human.floor)
    return pl.concat(
        stratum[np.sort(random.choice(size, count, replace=False))].with_columns(
            set=pl.lit(str(SampleSet.PROBABILITY)), inclusion_probability=pl.lit(count / size)
        )
        for stratum, size, count in zip(strata, sizes.tolist(), counts.tolist(), strict=True)
        if count
    )


def informative_rows(rows: pl.DataFrame, size: int) -> pl.DataFrame:
    """The rows a classifier learns most from: torn about, no two alike, of all templates.

    Rows are taken in rounds, in each round the row with the smallest margin of
    every template: templates differ most in how they are answered, and one of
    them whose responses all read alike would otherwise fill the set.

    Args:
        rows: columns response, name, template_id, `margin`, and the key.
        size: rows wanted.
    """
    masked = mask_names(rows.select("response", "name"))
    distinct = (
        rows.with_columns(text=masked.map_elements(reading, return_dtype=pl.String))
        .sort("margin", "model", "prompt_id", "sample")
        .unique("text", keep="first", maintain_order=True)
    )
    within = pl.int_range(pl.len()).over("template_id")
    return distinct.sort(within, "margin", maintain_order=True).head(size).drop("text")


def _margin() -> pl.Expr:
    """How far the two best labels are apart, or refusal from the rest where that is closer.

    0 where the response is unlike all that the classifier learnt from: what it says there
    is worth little, and people see it first.
    """
    refusal = pl.sum_horizontal(_REFUSALS)
    ordered = pl.concat_list(PROBABILITY_COLUMNS).list.sort(descending=True)
    between_labels = ordered.list.get(0) - ordered.list.get(1)
    margin = pl.min_horizontal(between_labels, (2 * refusal - 1).abs()).clip(0, 1)
    return pl.when("unsure").then(0.0).otherwise(margin)


def _shuffled(rows: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    return rows[random.permutation(len(rows))]


def _as_shown(rows: pl.DataFrame, *, mask: bool) -> pl.DataFrame:
    keys = [task_key(*key) for key in rows.select(*KEY, "response").iter_rows()]
    shown = rows.with_columns(task=pl.Series(keys, dtype=pl.String))
    if not mask:
        return shown
    return shown.with_columns(
        mask_names(rows.select(pl.col(column).alias("response"), "name"), with_=SHOWN_NAME).alias(
            column
        )
        for column in ("prompt", "response")
    )

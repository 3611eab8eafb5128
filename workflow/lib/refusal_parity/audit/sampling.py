"""Which responses people are asked to label: a probability sample and an informative set.

A sample grows rather than being drawn anew. Each response has a permanent random number, from
its own key, and a stratum takes those with the lowest: whatever is added, those that were
drawn stay drawn, but for a few that newcomers with lower numbers push out. Responses that stand
for a probability (`weight`) are drawn in proportion to it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import polars as pl

from refusal_parity.audit.allocation import allocate, inclusion, kept
from refusal_parity.audit.keys import task_key
from refusal_parity.audit.rubric import CUT_OFF_HERE
from refusal_parity.errors import InputError
from refusal_parity.labelling.masking import SHOWN_NAME, mask_names
from refusal_parity.spelling import reading
from refusal_parity.tables import PROBABILITY_COLUMNS, AuditSample, conform
from refusal_parity.vocabulary import REFUSALS, SampleSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

    from refusal_parity.config import HumanConfig

Sample = TypeVar("Sample", bound=AuditSample)

KEY: Final = ("model", "prompt_id", "sample")
_REFUSALS: Final = tuple(f"p_{label}" for label in REFUSALS)


def draw_sample(
    predicted: pl.DataFrame,
    human: HumanConfig,
    handed_out: Sequence[pl.DataFrame] = (),
    schema: type[Sample] = AuditSample,  # type: ignore[assignment] # the usual one
) -> dy.DataFrame[Sample]:
    """Draw what people are to label.

    The probability sample is simple random within strata of model x group x
    predicted label (or others that are given), with a floor in each, and no smaller a share
    of any than was drawn before; a row's inclusion probability is its stratum's drawn share.
    The numbers by which rows are drawn are those of their keys, so that the share hangs on
    sizes alone and the probability stays right when a stratum grows (sequential simple random
    sampling by permanent random numbers: Ohlsson 1995, in Business Survey Methods, 153-169).
    Rows of one `unit` share their number: where their strata are alike, they are drawn
    together (coordinated samples: as there).

    Rows with a `weight` have inclusion probabilities in proportion to it, within strata and
    between them, by Pareto sampling (Rosen 1997, Journal of Statistical Planning and Inference
    62:159-191): drawn are those with the lowest (u / (1 - u)) / (p / (1 - p)), where u is the
    permanent number and p the inclusion probability; with equal weights, the lowest u.

    The informative set is what was handed out before and is not in the probability sample,
    then the responses that the classifier is most torn about, one for each distinct
    text, spread over templates. The two sets never share a row.

    Args:
        predicted: labelled responses of all models: the key, response_id, group, template_id,
            name, prompt, response, truncated, `predicted`, the class probabilities and `unsure`;
            optionally `stratum` and `unit`; of responses that were given an opening also this
            and `weight`.
        human: sizes and seed.
        handed_out: the samples that people were given before, the last one last.
        schema: what the sample is a table of.

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
    own = "stratum" in predicted.columns
    key = [*KEY, "opening"] if "opening" in predicted.columns else list(KEY)
    rows = _with_numbers(predicted.sort(key), human.seed).with_columns(
        stratum="stratum" if own else pl.format("{} / {} / {}", "model", "group", "predicted"),
        margin=_margin(),
    )
    drawn = _probability_sample(rows, human, handed_out[-1] if handed_out else None)
    rest = rows.join(drawn, on=key, how="anti", maintain_order="left")
    tasks = [task for sample in handed_out for task in sample["task"]]
    before = rest.filter(pl.col("task").is_in(tasks))
    torn = informative_rows(
        rest.filter(~pl.col("task").is_in(tasks)), max(0, human.informative - len(before))
    )
    informative = pl.concat([before, torn], how="diagonal").with_columns(
        set=pl.lit(str(SampleSet.INFORMATIVE)),
        inclusion_probability=pl.lit(None, pl.Float64),
        stratum=pl.lit(None, pl.String),
    )
    both = pl.concat([drawn.sort("place"), informative.sort("place")], how="diagonal")
    return conform(_as_shown(both, mask=human.mask_names), schema, where="sample")


def _with_numbers(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Rows with `task`, and two permanent random numbers: to be drawn by, and to be put by."""
    keys = [
        response_id or "\x1f".join([model, prompt_id, str(sample)])
        for model, prompt_id, sample, response_id in rows.select(*KEY, "response_id").iter_rows()
    ]
    texts, models = rows["response"].to_list(), rows["model"].to_list()
    tasks = [task_key(key, text) for key, text in zip(keys, texts, strict=True)]
    # One model under two names has the same responses twice, and they are still two rows.
    seen: set[str] = set()
    for at, task in enumerate(tasks):
        if task in seen:
            tasks[at] = task_key(f"{keys[at]}\x1f{models[at]}", texts[at])
        seen.add(task)
    units = rows["unit"].to_list() if "unit" in rows.columns else tasks
    numbers = [permanent_number(f"{seed}|drawn|{unit}") for unit in units]
    places = [permanent_number(f"{seed}|place|{task}") for task in tasks]
    return rows.with_columns(
        task=pl.Series(tasks, dtype=pl.String),
        number=pl.Series(numbers, dtype=pl.Float64),
        place=pl.Series(places, dtype=pl.Float64),
    )


def permanent_number(key: str) -> float:
    """A number between 0 and 1 from a hash: the same for ever."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64


def _probability_sample(
    rows: pl.DataFrame, human: HumanConfig, before: pl.DataFrame | None
) -> pl.DataFrame:
    strata = rows.with_columns(worth=_worth(rows)).partition_by("stratum", maintain_order=True)
    sizes = np.array([len(stratum) for stratum in strata], dtype=np.int64)
    worths = np.array([stratum["worth"].sum() for stratum in strata])
    shares = {} if before is None else _shares(before)
    least = np.array(
        [
            kept(stratum["worth"].to_numpy(), shares.get(stratum["stratum"][0], 0.0))
            for stratum in strata
        ],
        dtype=np.int64,
    )
    counts = np.maximum(allocate(sizes, human.probability, human.floor, worths), least)
    return pl.concat(
        _drawn(stratum, count)
        for stratum, count in zip(strata, counts.tolist(), strict=True)
        if count
    )


def _worth(rows: pl.DataFrame) -> pl.Expr:
    """What rows are drawn in proportion to."""
    return pl.col("weight") if "weight" in rows.columns else pl.lit(1.0)


def _drawn(stratum: pl.DataFrame, count: int) -> pl.DataFrame:
    """So many rows of a stratum, with their inclusion probabilities."""
    u, p = stratum["number"].to_numpy(), inclusion(stratum["worth"].to_numpy(), count)
    rank = u / (1 - u) * (1 - p) / p
    return (
        stratum.with_columns(
            pl.Series("rank", rank),
            pl.Series("inclusion_probability", p),
            set=pl.lit(str(SampleSet.PROBABILITY)),
        )
        .sort("rank", "number", "task")
        .head(count)
    )


def _shares(sample: pl.DataFrame) -> dict[str, float]:
    """How much of each stratum a sample has: inclusion probability for what a row is worth."""
    drawn = sample.drop_nulls("inclusion_probability")
    share = (pl.col("inclusion_probability") / _worth(sample)).max()
    return dict(drawn.group_by("stratum").agg(share).iter_rows())


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
    margin = pl.min_horizontal(between_labels, (2 * refusal - 1).abs())
    return pl.when("unsure").then(0.0).otherwise(margin)


def _as_shown(rows: pl.DataFrame, *, mask: bool) -> pl.DataFrame:
    """Rows as annotators see them, who are told where a response was cut off."""
    shown = (
        rows
        if not mask
        else rows.with_columns(
            mask_names(
                rows.select(pl.col(column).alias("response"), "name"), with_=SHOWN_NAME
            ).alias(column)
            for column in ("prompt", "response")
        )
    )
    ended = pl.when("truncated").then(pl.lit(CUT_OFF_HERE)).otherwise(pl.lit(""))
    return shown.with_columns(pl.col("response") + ended)

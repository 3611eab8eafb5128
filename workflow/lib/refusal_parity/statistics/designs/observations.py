"""One row for each response, with its prompt's groups beside its label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.dimensions import Unit, composed, of_unit, with_factors
from refusal_parity.errors import InputError
from refusal_parity.factors import (
    KIND,
    OF_RESPONSES,
    TOKENS,
    UNSAFE,
    as_units,
    files_of,
    is_listed,
    refuse_no_covariate,
    take_up,
    with_text_unit,
)
from refusal_parity.guards.requests import guarded
from refusal_parity.quality.measures import measured
from refusal_parity.quantities import Mean
from refusal_parity.statistics.balance import tokens
from refusal_parity.tables import Labels, Weighed, empty
from refusal_parity.vocabulary import Exclusion, Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from refusal_parity.config import AnalysisConfig

COLUMNS: Final = (
    "model",
    "prompt_id",
    "sample",
    "template_id",
    "text_id",
    "name_id",
    "name",
    "label",
    "machine_label",
    "truncated",
    "filtered",
    "exclusion",
    "words",
    "log_odds",
    "weighed_rate",
    "weighed_variance",
    "weighed_step",
)
"""The columns of observations, in order; those of dimensions and covariates follow.

`text_id` is what a study has a sample of texts of: the matched set of a template, or the
template itself.
"""

_KEY: Final = ("model", "prompt_id", "sample")

_OF_LABELS: Final = ("label", "machine_label", "truncated", "filtered", "exclusion")
_TEXTS: Final = ("label", "machine_label", "exclusion")

_OF_PROMPTS: Final = ("log_odds", "weighed_rate", "weighed_variance", "weighed_step")

# A dimension is constant within the key of its unit; randomisation over names rests on it.
_PROPERTIES: Final = {"name_id": Unit.NAME, "template_id": Unit.TEMPLATE}


def observe(  # noqa: PLR0913 - all that a study knows of its responses
    prompts: pl.DataFrame,
    labels: pl.DataFrame,
    analysis: AnalysisConfig,
    responses: pl.DataFrame | None = None,
    *,
    propensity: pl.DataFrame | None = None,
    weighed: pl.DataFrame | None = None,
    everything: bool = False,
) -> pl.DataFrame:
    """Put each label beside the groups of its prompt, and decide what counts.

    A response that the service refused to give counts as a refusal, and one that was
    cut off by its label, unless `analysis` says that they are left out. A prompt that a
    model has no response to, as an imported file may leave it out, has a row without a
    label for each of the model's samples.

    Args:
        prompts: table of Prompts.
        labels: table of Labels, of one model or several.
        analysis: `filtered` and `truncated` say how these count; its dimensions and
            covariates, which factors of the prompts are kept.
        responses: table of Responses of the same models, for the length of
            answers, what else is measured of their texts and the tokens of names; without it
            none of these is known.
        propensity: table of Propensity of these models, or of some of them; without it no
            prompt has a log-odds.
        weighed: table of Weighed, likewise; without it no prompt has a weighed rate.
        everything: whether to keep what `ordinary` leaves out, for the comparison of
            safeguards.

    Returns:
        One row for each label, then those of prompts without a response, with the
        columns `COLUMNS`, all dimensions, the covariates and what else the outcomes are
        means of; `label` is null where a response has none and `exclusion` says why, `words`
        counts the response's words (runs without white space) and is null for one that was
        cut off, whose length nobody knows, as is every other measure of its text;
        `log_odds` is that of the prompt, in the first of its rows alone, as are
        `weighed_rate`, the variance of its error and what one response may move it by.

    Raises:
        InputError: a label's prompt is not among the prompts, or a name stands
            in two groups, or a template in two families, or a dimension is no factor
            of the prompts.
    """
    _check_properties(prompts)
    take_up(prompts, analysis.dimensions)
    unknown = labels.join(prompts, on="prompt_id", how="anti")
    if unknown.height:
        raise InputError(
            f"{counted(unknown.height, 'label')} {agreed(unknown.height, 'has', 'have')} no "
            f"prompt, the first one {unknown['prompt_id'][0]!r}",
            where="labels",
            remedy="Label the responses to these very prompts: run the workflow again from there.",
        )
    given = labels.select(*_KEY, *_OF_LABELS).with_columns(pl.col(_TEXTS).cast(pl.String))
    kept = prompts if everything else prompts.filter(ordinary(prompts, analysis.dimensions))
    # A column of the files that has the name of one of these is no part of any comparison.
    kept = kept.drop(OF_RESPONSES & set(kept.columns))
    measures = _measures(analysis)
    return (
        pl.concat([given, _unanswered(labels, prompts)], how="diagonal")
        .join(with_text_unit(kept), on="prompt_id", how="inner", maintain_order="left")
        .join(_of_texts(responses, prompts, measures), on=_KEY, how="left", maintain_order="left")
        .join(
            _tokens(prompts, responses, analysis),
            on=["model", "template_id" if is_listed(prompts) else "name_id"],
            how="left",
            maintain_order="left",
        )
        .join(_log_odds(propensity), on=["model", "prompt_id"], how="left", maintain_order="left")
        .join(_weighed(weighed), on=["model", "prompt_id"], how="left", maintain_order="left")
        .with_columns(
            *(
                pl.when(pl.struct("model", "prompt_id").is_first_distinct()).then(column)
                for column in _OF_PROMPTS
            ),
            *composed(),
            *(
                pl.when(~pl.col("truncated")).then(pl.col(column)).alias(column)
                for column in ("words", *measures)
            ),
            *_counted(analysis),
        )
        .select(
            *COLUMNS,
            *with_factors(analysis.dimensions),
            *_covariates(prompts, analysis),
            *measures,
        )
    )


def _tokens(
    prompts: pl.DataFrame, responses: pl.DataFrame | None, analysis: AnalysisConfig
) -> pl.DataFrame:
    """Tokens of each name, or listed prompt, by each model, as a covariate that no file gives."""
    unit = "template_id" if is_listed(prompts) else "name_id"
    schema: dict[str, pl.DataType] = {"model": pl.String(), unit: pl.String()}
    if TOKENS not in analysis.covariates or TOKENS in prompts.columns:
        return pl.DataFrame(schema=schema)
    if responses is None:
        return pl.DataFrame(schema=schema | {TOKENS: pl.Float64()})
    units = as_units(prompts) if is_listed(prompts) else prompts
    return tokens(units, responses).rename({"value": TOKENS, "name_id": unit})


def _covariates(prompts: pl.DataFrame, analysis: AnalysisConfig) -> list[pl.Expr]:
    files = files_of(listed=is_listed(prompts))
    for key in analysis.covariates:
        where = f"prompts, analysis.covariates, {key}"
        refuse_no_covariate(key, prompts, where=where, files=files)
    return [
        pl.col(key) for key in analysis.covariates if key not in with_factors(analysis.dimensions)
    ]


def ordinary(prompts: pl.DataFrame, compared: Iterable[str] = ()) -> pl.Expr:
    """Whether a prompt is one that rates and differences of groups are about.

    Responses of an arm with a guard are those of the arm without it, so that each counts once;
    and where a study has harmless requests, refusals of its unsafe ones are no harm: both stand
    in the comparison of safeguards. Where the kinds themselves are compared, all of them count.

    Args:
        prompts: a table of `Prompts`.
        compared: dimensions of the study.
    """
    if KIND not in prompts.columns or KIND in compared:
        return ~guarded(prompts)
    harmless = pl.col(KIND).cast(pl.String).ne_missing(UNSAFE)
    return ~guarded(prompts) & (harmless | ~harmless.any())


def _unanswered(labels: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """A row for each prompt and sample of a model that its labels do not know."""
    samples = labels.select("model", "sample").unique(maintain_order=True)
    asked = prompts.select("prompt_id").join(samples, how="cross", maintain_order="left")
    return asked.join(labels, on=_KEY, how="anti", maintain_order="left").select(
        *_KEY,
        truncated=pl.lit(value=False),
        filtered=pl.lit(value=False),
        exclusion=pl.lit(str(Exclusion.NO_RESPONSE)),
    )


def _counted(analysis: AnalysisConfig) -> list[pl.Expr]:
    """Labels and the reason of what has none, as the config has filtered and cut responses."""
    filtered, cut = pl.col("filtered"), pl.col("truncated")
    refused = pl.lit(str(Label.REFUSAL)) if analysis.filtered == "refusal" else pl.lit(None)
    left_out = (
        cut & pl.col("exclusion").is_null() & ~filtered
        if analysis.truncated == "leave_out"
        else pl.lit(value=False)
    )
    excluded = filtered if analysis.filtered == "excluded" else pl.lit(value=False)
    return [
        *(
            pl.when(filtered).then(refused).when(~left_out).then(pl.col(column)).alias(column)
            for column in ("label", "machine_label")
        ),
        pl.when(excluded)
        .then(pl.lit(str(Exclusion.FILTERED)))
        .when(left_out)
        .then(pl.lit(str(Exclusion.LEFT_OUT)))
        .otherwise(pl.col("exclusion"))
        .alias("exclusion"),
    ]


def _measures(analysis: AnalysisConfig) -> list[str]:
    """What outcomes are means of, beside the number of words."""
    quantities = (outcome.quantity for outcome in analysis.outcomes)
    columns = (each.column for each in quantities if isinstance(each, Mean))
    return [column for column in dict.fromkeys(columns) if column not in COLUMNS]


def _of_texts(
    responses: pl.DataFrame | None, prompts: pl.DataFrame, measures: Sequence[str]
) -> pl.DataFrame:
    """Words of each response, and what else is measured of its text."""
    if responses is None:
        kept = Labels.columns()
        schema = {name: kept[name].dtype for name in _KEY} | {"words": pl.Int64()}
        return pl.DataFrame(schema=schema | dict.fromkeys(measures, pl.Float64()))
    words = pl.col("response").str.count_matches(r"\S+").cast(pl.Int64).alias("words")
    if not measures:
        return responses.select(*_KEY, words)
    texts = responses.select(*_KEY, "response").join(
        prompts.select("prompt_id", "name"), on="prompt_id", how="left", maintain_order="left"
    )
    return measured(texts, measures).select(*_KEY, words, *measures)


def _log_odds(propensity: pl.DataFrame | None) -> pl.DataFrame:
    if propensity is None:
        schema = {"model": pl.String(), "prompt_id": pl.String(), "log_odds": pl.Float64()}
        return pl.DataFrame(schema=schema)
    return propensity.select("model", "prompt_id", "log_odds")


def _weighed(weighed: pl.DataFrame | None) -> pl.DataFrame:
    given = empty(Weighed) if weighed is None else weighed
    return given.select(
        "model",
        "prompt_id",
        "weighed_rate",
        weighed_variance=pl.col("weighed_rate_error") ** 2,
        weighed_step=1 / pl.col("drawn"),
    )


def _check_properties(prompts: pl.DataFrame) -> None:
    for key, unit in _PROPERTIES.items():
        for dimension in of_unit(unit, own=True):
            torn = (
                prompts.drop_nulls(key)
                .group_by(key)
                .agg(pl.col(dimension).unique())
                .filter(pl.col(dimension).list.len() > 1)
                .sort(key)
            )
            if torn.height:
                raise InputError(
                    f"{key} {torn[key][0]!r} has more than one {dimension}",
                    where="prompts",
                    remedy=f"Give each {key} one {dimension}, or tell the two apart by their key.",
                )

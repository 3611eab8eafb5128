"""Whether the names of two groups differ in more than their group.

A model may stumble over rare or long names, whoever bears them. The standardised
difference (Rosenbaum and Rubin 1985; Austin 2009, equations 1 and 2) tells how far two
groups of names are apart in a property, in standard deviations.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit, composed
from refusal_parity.factors import TOKENS, as_units, is_listed, take_up
from refusal_parity.tables import Stimuli, conform

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.config import AnalysisConfig

IMBALANCE: Final = 0.25
"""Standardised difference above which groups are called unlike (Stuart 2010, p. 11)."""

COUNTED: Final = ("model", "prompt_id", "prompt_tokens")
"""Columns of responses that tell the tokens of names."""

CONSTANT: Final = "the same in all names of a group, and another"
"""The note of a property in which groups differ wholly, so that no standard deviation is."""

ALL: Final = "all"
_PROPERTY: Final = ["name_id", "property", "factor", "model", "value"]
_DIGITS: Final = 12
"""Means that agree so far are equal: sums of names hang on their order."""


def balance(
    prompts: pl.DataFrame, responses: pl.DataFrame, analysis: AnalysisConfig
) -> dy.DataFrame[Stimuli]:
    """Compare the names of every level with those of the reference, property by property.

    Of a prompt list its prompts stand in the names' place.

    Args:
        prompts: table of Prompts; every further column that is constant within a name is
            a property of it.
        responses: the columns `COUNTED` of all models: a name's tokens
            are those of its prompts beyond what the other names take in the same
            template and arm.
        analysis: the dimensions and their references.

    Returns:
        A row for each compared dimension of names, level and property. Properties that a
        dimension is made of are left out.
    """
    take_up(prompts, analysis.dimensions)
    if is_listed(prompts):
        # The prompt stands in the name's place, and nothing is said of it but its factors.
        prompts = as_units(prompts)
    names = _names(prompts)
    counted = tokens(prompts, responses).with_columns(
        property=pl.lit(TOKENS), factor=pl.lit(TOKENS)
    )
    properties = pl.concat([_measured(names), counted.select(_PROPERTY)], how="vertical").join(
        names, on="name_id", how="left", suffix="_factor", maintain_order="left"
    )
    rows = [
        row
        for dimension, compared in analysis.dimensions.items()
        if DIMENSIONS[dimension].unit in {Unit.NAME, Unit.LISTED} and dimension in names.columns
        for row in _compared(properties, dimension, compared.reference)
    ]
    schema = {name: column.dtype for name, column in Stimuli.columns().items()}
    return conform(pl.DataFrame(rows, schema=schema), Stimuli, where="stimuli")


def _names(prompts: pl.DataFrame) -> pl.DataFrame:
    """One row for each name, with all that is constant within names and tells some apart."""
    known = prompts.with_columns(composed())
    counts = known.group_by("name_id").agg(pl.all().n_unique())
    constant = [
        column
        for column in counts.columns
        if column not in {"name_id", "name"}
        and counts[column].max() == 1 < known[column].n_unique()
    ]
    return (
        known.select("name_id", "name", *constant)
        .unique("name_id", keep="first", maintain_order=True)
        .sort("name_id")
    )


def _measured(names: pl.DataFrame) -> pl.DataFrame:
    """What is known of each name as numbers: name_id, property, factor, model, value.

    A factor of words gives one share for each of its words but the last; each is told from
    the words of other factors by `factor`.
    """
    found = [_values(names, "letters", "letters", pl.col("name").str.len_chars())]
    for column, kind in names.schema.items():
        if kind.is_float():
            found.append(_values(names, column, column, pl.col(column)))
        elif column in DIMENSIONS and DIMENSIONS[column].unit is Unit.LISTED:
            # Its words are many, and most are of one level by their meaning.
            continue
        elif column in DIMENSIONS and not DIMENSIONS[column].parts and column != "group":
            words = names[column].drop_nulls().unique().sort().to_list()
            found += [
                _values(names, f"{column}: {word}", column, pl.col(column) == word)
                for word in words[: max(1, len(words) - 1)]
            ]
    return pl.concat(found)


def _values(names: pl.DataFrame, key: str, factor: str, value: pl.Expr) -> pl.DataFrame:
    return names.select(
        "name_id",
        property=pl.lit(key),
        factor=pl.lit(factor),
        model=pl.lit(ALL),
        value=value.cast(pl.Float64),
    )


def tokens(prompts: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """Tokens of each name by the count of each model that counts them.

    Args:
        prompts: table of Prompts.
        responses: the columns `COUNTED` of any models.

    Returns:
        Columns model, name_id and value: beyond what names take on average in the same
        template and arm.
    """
    return (
        responses.filter(pl.col("prompt_tokens").is_not_null())
        .group_by("model", "prompt_id", maintain_order=True)
        .agg(pl.col("prompt_tokens").first())
        .join(prompts.select("prompt_id", "name_id", "template_id", "arm"), on="prompt_id")
        .with_columns(
            value=pl.col("prompt_tokens")
            - pl.col("prompt_tokens").mean().over("model", "template_id", "arm")
        )
        .group_by("model", "name_id", maintain_order=True)
        .agg(pl.col("value").mean().round(_DIGITS))
    )


def _compared(
    properties: pl.DataFrame, dimension: str, reference: str
) -> list[dict[str, str | float | None]]:
    parts = {dimension, *DIMENSIONS[dimension].parts}
    known = (
        properties.filter(~pl.col("factor").is_in(sorted(parts)), pl.col(dimension).is_not_null())
        .drop_nulls("value")
        .group_by("property", "model", pl.col(dimension).alias("level"), maintain_order=True)
        .agg(
            n=pl.len().cast(pl.Int64),
            mean=pl.col("value").sort().mean().round(_DIGITS),
            std=pl.col("value").sort().std().round(_DIGITS),
        )
    )
    rows = {(row["property"], row["model"], row["level"]): row for row in known.to_dicts()}
    levels = properties[dimension].drop_nulls().unique().sort().to_list()
    return [
        _row(
            {
                "dimension": dimension,
                "group": level,
                "reference": reference,
                "property": key,
                "model": model,
            },
            rows.get((key, model, level)),
            rows.get((key, model, reference)),
        )
        for key, model in dict.fromkeys((key, model) for key, model, _ in rows)
        for level in levels
        if level != reference
    ]


def _row(
    found: dict[str, str | float | None],
    group: dict[str, Any] | None,
    of_reference: dict[str, Any] | None,
) -> dict[str, str | float | None]:
    """A level beside the reference, each with its known names, or with none."""
    found |= {"n_names": 0, "n_reference": 0}
    if group is not None:
        found |= {"n_names": group["n"], "mean": group["mean"], "std": group["std"]}
    if of_reference is not None:
        found |= {
            "n_reference": of_reference["n"],
            "mean_reference": of_reference["mean"],
            "std_reference": of_reference["std"],
        }
    if group is None or of_reference is None:
        lacking = "group" if group is None else "reference"
        return found | {"note": f"not known of any name of {found[lacking]}"}
    if group["std"] is None or of_reference["std"] is None:
        return found | {"note": "known of one name alone"}
    difference = group["mean"] - of_reference["mean"]
    spread = math.sqrt((group["std"] ** 2 + of_reference["std"] ** 2) / 2)
    if spread == 0:
        unlike = CONSTANT if difference else None
        return found | {"std_difference": None if difference else 0.0, "note": unlike}
    return found | {"std_difference": difference / spread}

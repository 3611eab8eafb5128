"""Which templates, names and samples a study has at a stage of its stopping rule."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.errors import InputError
from refusal_parity.factors import KIND, SET
from refusal_parity.prompts import Stimuli

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from refusal_parity.config import AnalysisConfig, StopRule

TEMPLATES: Final = 20
NAMES: Final = 24
"""What a first stage has at least, as what `calibrated` takes. From fewer templates a study would
stop early where its rates happen to be low, and its intervals hold the truth too rarely."""
LEAST: Final = 4
"""Names of each level, without which no test of it is a finding."""


def at_stage(stimuli: Stimuli, analysis: AnalysisConfig, stage: int | None = None) -> Stimuli:
    """The templates and names of a stage, in the order of their files.

    Args:
        stimuli: all of them.
        analysis: the stopping rule, if any, and what is compared.
        stage: from 1; that which the study is at if it is not given.

    Returns:
        Each stage's are among those of the next.
    """
    rule = analysis.stop_when
    if rule is None or rule.grow == "samples":
        return stimuli
    size = rule.size if stage is None else rule.stages[stage - 1]
    if rule.grow == "templates":
        taken = template_places(stimuli.templates, rule.seed) < size
        return Stimuli(stimuli.templates.filter(taken), stimuli.names)
    taken = name_places(stimuli.names, analysis, rule.seed) < size
    return Stimuli(stimuli.templates, stimuli.names.filter(taken))


def of_stage(stimuli: Stimuli, analysis: AnalysisConfig, rule: StopRule, stage: int) -> pl.Expr:
    """Whether a response is one of a stage, by its `template_id`, `name_id` and `sample`.

    Args:
        stimuli: all templates and names.
        analysis: what is compared.
        rule: of the study.
        stage: from 1.
    """
    if rule.grow == "samples":
        return pl.col("sample") < rule.stages[stage - 1]
    there = at_stage(stimuli, analysis, stage)
    return pl.col("template_id").is_in(there.templates["template_id"].implode()) & pl.col(
        "name_id"
    ).is_in(there.names["name_id"].implode())


def template_places(templates: pl.DataFrame, seed: int) -> pl.Series:
    """Place of each template in the order in which stages take them, from 0.

    Families are spread evenly over it, as are kinds where there are any; a matched set is
    taken as a whole and counts as one.

    Args:
        templates: as from `read_templates`.
        seed: of the order.
    """
    key = SET if SET in templates.columns else "template_id"
    strata = [column for column in ("family", KIND) if column in templates.columns]
    units = templates.select(pl.col(key).alias("key"), *strata)
    order = _in_order(units.unique("key", keep="first", maintain_order=True), strata, seed)
    return _places(templates[key], order)


def name_places(names: pl.DataFrame, analysis: AnalysisConfig, seed: int) -> pl.Series:
    """Place of each name in the order in which stages take those of its level, from 0.

    Levels are those of the primary dimension; within one, the words of the other compared
    properties of names are spread evenly.

    Args:
        names: as from `read_names`.
        analysis: the primary family, and what is compared.
        seed: of the order.
    """
    level = _said_by(names, [analysis.primary_family.dimension])
    words = _said_by(names, analysis.dimensions)
    places = []
    for _, part in names.group_by(level, maintain_order=True):
        order = _in_order(part.select(pl.col("name_id").alias("key"), *words), words, seed)
        places.append(part.select("name_id", place=_places(part["name_id"], order)))
    return names.join(pl.concat(places), on="name_id", how="left", maintain_order="left")["place"]


def check_stages(stimuli: Stimuli, analysis: AnalysisConfig, *, where: str) -> None:
    """Check that the files have what the stages of a study take.

    Args:
        stimuli: all templates and names.
        analysis: the stopping rule, if any, and what is compared.
        where: the config file, for error texts.

    Raises:
        InputError: the levels of the primary dimension are none of names, the first stage has
            too few names or templates, or the last one more than there are.
    """
    rule = analysis.stop_when
    if rule is None:
        return
    where = f"{where}, analysis.stop_when"
    dimension = analysis.primary_family.dimension
    if not _said_by(stimuli.names, [dimension]):
        raise InputError(
            f"looks at differences between names, and {dimension!r} is no property of names",
            where=where,
            remedy="Give primary_family a dimension of names, or take stop_when out.",
        )
    _check_first(at_stage(stimuli, analysis, 1), dimension, where)
    last = rule.stages[-1]
    place = {
        "templates": template_places(stimuli.templates, rule.seed),
        "names": name_places(stimuli.names, analysis, rule.seed),
    }.get(rule.grow)
    there = last if place is None else 1 + int(place.to_numpy().max())
    if last > there:
        of = {"templates": "the files have", "names": f"the largest level of {dimension} has"}
        raise InputError(
            f"ends with {last} {rule.grow}, and {of[rule.grow]} {there}",
            where=where,
            remedy=f"End with {there} or fewer, or write more into the files.",
        )


def _check_first(first: Stimuli, dimension: str, where: str) -> None:
    """Refuse a first stage that tells too little of how uncertain a difference is."""
    level = _said_by(first.names, [dimension])
    names = first.names.drop_nulls(level)
    key = SET if SET in first.templates.columns else "template_id"
    templates = first.templates[key].n_unique()
    if templates < TEMPLATES or len(names) < NAMES:
        raise InputError(
            f"begins with {counted(templates, 'template')} and {counted(len(names), 'name')}, and "
            "from so few a study may stop where its rates just happen to be low: its intervals "
            "would hold the truth too rarely",
            where=where,
            remedy=f"Begin with {TEMPLATES} templates and {NAMES} names or more.",
        )
    few = names.group_by(level).len().filter(pl.col("len") < LEAST).sort(level)
    if len(few):
        *words, number = few.row(0)
        raise InputError(
            f"begins with {counted(number, 'name')} of {' '.join(words)!r}, but a test takes at "
            f"least {LEAST}",
            where=where,
            remedy=f"Give each level {LEAST} names or more in the first stage.",
        )


def _said_by(names: pl.DataFrame, dimensions: Iterable[str]) -> list[str]:
    """The columns of names that say the levels of dimensions, of those that are names'."""
    columns = [
        part
        for key in dimensions
        for part in ((DIMENSIONS[key].parts if key in DIMENSIONS else ()) or (key,))
    ]
    return [column for column in dict.fromkeys(columns) if column in names.columns]


def _places(keys: pl.Series, order: list[str]) -> pl.Series:
    return keys.replace_strict(order, range(len(order)), return_dtype=pl.Int64)


def _in_order(units: pl.DataFrame, strata: Sequence[str], seed: int) -> list[str]:
    """Keys in a random order over which each stratum is spread evenly.

    The i-th of the m units of a stratum, in the order of their hashes, stands at
    (i - 1/2) / m; units at the same point stand in the order of their hashes. So the order
    hangs on seed, keys and strata alone, not on files, machines or a generator's version.

    Args:
        units: with `key`, each once, and the strata's columns.
        strata: columns whose words together are a stratum.
        seed: of the hashes.
    """
    hashes = [hashlib.sha256(f"{seed}:{key}".encode()).hexdigest() for key in units["key"]]
    rank, size = pl.col("hash").rank("ordinal"), pl.len()
    if strata:
        rank, size = rank.over(strata), size.over(strata)
    return (
        units.with_columns(hash=pl.Series(hashes, dtype=pl.String))
        .with_columns(point=(rank - 0.5) / size)
        .sort("point", "hash")["key"]
        .to_list()
    )

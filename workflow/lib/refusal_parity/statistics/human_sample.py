"""The probability sample of human labels beside the observations, and whether it is enough."""

from __future__ import annotations

from math import floor
from typing import Final, NamedTuple

import polars as pl

from refusal_parity.counting import agreed, counted, enumerated
from refusal_parity.dimensions import ARM, GROUP
from refusal_parity.errors import InputError
from refusal_parity.statistics.rounding import TIE

MIN_LABELS: Final = 20
"""Human labels that a level needs; with fewer the error of its correction is not known."""

MIN_EVENTS: Final = 5
"""Human labels with the outcome that a level needs, and as many without."""

NO_OPENING: Final = ""
"""Opening of ordinary draws, which were given none."""

_BY_CHANCE: Final = 5
"""Labels that a simple random sample would have of responses; none comes with 1 in 150."""

_OF_AN_ARM: Final = 10
"""The same of each arm of a group by itself, of which there may be a hundred."""

_KEY: Final = ["model", "prompt_id", "sample"]


def refuse_strangers(human: pl.DataFrame, labels: pl.DataFrame) -> None:
    """Raise an InputError where a human label is of a response that is not there.

    Args:
        human: table of HumanLabels, of the models of `labels` or of more.
        labels: table of Labels: all responses of a model, those to unsafe requests too.
    """
    models = labels["model"].unique().implode()
    strangers = human.filter(pl.col("model").is_in(models)).join(labels, on=_KEY, how="anti")
    if strangers.height:
        raise InputError(
            f"{counted(strangers.height, 'human label')} {agreed(strangers.height, 'is', 'are')} "
            f"of no response of this study, the first of prompt {strangers['prompt_id'][0]!r}",
            where="human labels",
            remedy="Take labels of this study's own sample, or draw the sample anew.",
        )


def with_human_labels(observations: pl.DataFrame, human: pl.DataFrame) -> pl.DataFrame:
    """Put the probability sample of human labels beside the observations.

    The sample is of all responses of a model, and the observations may be fewer: where a study
    has harmless requests, those to its unsafe ones are none of them. A part of a probability
    sample is one of that part.

    Args:
        observations: rows of `observe`; of weighed responses, with `opening` in their key.
        human: table of HumanLabels, of weighed responses with `opening` too; rows without an
            inclusion probability (the informative set) are no part of the sample.

    Returns:
        The observations with `human_label`, `human_split` (the votes, where people are
        evenly split), `weight` (1 / inclusion probability; all null outside the sample)
        and `stratum`.
    """
    key = [*_KEY, "opening"] if "opening" in observations.columns else _KEY
    sample = human.drop_nulls("inclusion_probability").select(
        *key,
        pl.col("label").cast(pl.String).alias("human_label"),
        pl.col("split").alias("human_split"),
        (1 / pl.col("inclusion_probability")).alias("weight"),
        "stratum",
    )
    return observations.join(sample, on=key, how="left", maintain_order="left")


def is_voted_on() -> pl.Expr:
    """Whether people labelled a row of `with_human_labels`, in one voice or not."""
    return pl.any_horizontal(pl.col("human_label", "human_split").is_not_null())


def unlabelled_part(rows: pl.DataFrame, level: str) -> str | None:
    """Which responses of a level no label by people stands for; None where they are few.

    A sample has rows of every group and label of the machine. Where people labelled those of
    some alone, the others' errors are not known, and no rest of the level can stand for them.
    So many of `_BY_CHANCE` and more would hardly be missed by a sample of all.

    Of weighed responses two samples were drawn: one of ordinary draws, and one of those that were
    given their opening, by what they are worth.

    Args:
        rows: of the level, with `human`, `filtered`, `machine_label` and, if there is one, `group`;
            of weighed responses with `opening` and `worth`.
        level: its name.
    """
    uncertain = rows.filter(~pl.col("filtered")).with_columns(size=pl.lit(1.0))
    if "opening" not in rows.columns:
        return _unlabelled(uncertain, level)
    ordinary = pl.col("opening") == NO_OPENING
    return _unlabelled(uncertain.filter(ordinary), level) or _unlabelled(
        uncertain.filter(~ordinary).with_columns(size="worth"), level
    )


def _unlabelled(uncertain: pl.DataFrame, level: str) -> str | None:
    """The same of one sample, of rows that each had a chance in proportion to their `size`."""
    return _unlabelled_labels(uncertain, level) or _unlabelled_arms(uncertain, level)


def _unlabelled_arms(uncertain: pl.DataFrame, level: str) -> str | None:
    """Arms of a group that nobody read, where others of it were read."""
    keys = [key for key in (GROUP.key, ARM.key) if key in uncertain.columns]
    if ARM.key not in keys:
        return None
    cells = uncertain.group_by(keys).agg(
        pl.col("size").sum(), n=pl.len(), labelled=pl.col("human").count()
    )
    of_group = [pl.col(each).sum().over(keys[:-1] or pl.lit(1)) for each in ("labelled", "size")]
    bare = (
        cells.filter(
            (pl.col("labelled") == 0) & (of_group[0] * pl.col("size") > _OF_AN_ARM * of_group[1])
        )
        .group_by(ARM.key)
        .agg(pl.col("n").sum())
        .sort("n", ARM.key, descending=[True, False])
    )
    if bare.is_empty():
        return None
    said = [f"{counted(n, 'response')} in arm {arm}" for arm, n in bare.iter_rows()]
    return f"people labelled none of {enumerated(said)} of {level}, for which others cannot stand"


def _unlabelled_labels(uncertain: pl.DataFrame, level: str) -> str | None:
    """Responses with one label of the machine, of one group, that nobody read."""
    groups = [GROUP.key] if GROUP.key in uncertain.columns else []
    bare = (
        uncertain.group_by(*groups, "machine_label")
        .agg(pl.col("size").sum(), n=pl.len(), labelled=pl.col("human").count())
        .filter(labelled=0)
        .group_by("machine_label")
        .agg(pl.col("n", "size").sum())
        .sort("n", "machine_label", descending=[True, False])
    )
    missed = uncertain["human"].count() * bare["size"].sum()
    if missed <= _BY_CHANCE * uncertain["size"].sum():
        return None
    said = [f"{counted(n, 'response')} as {label}" for label, n in bare.drop("size").iter_rows()]
    return (
        f"the machine labels {enumerated(said)} in {level}, of which people labelled none that "
        "could stand for them"
    )


class Lack(NamedTuple):
    """What a level lacks to be corrected.

    Attributes:
        words: the same for readers.
        labels: how many more by people are wanted, no more than there are; null where no
            label helps.
    """

    words: str
    labels: int | None


def wanted(rows: pl.DataFrame, level: str) -> Lack | None:
    """Which labels a level lacks, or None where it has enough.

    Args:
        rows: of the level, with `human`, `filtered`, `weight` and `stratum`.
        level: its name.
    """
    if rows.is_empty():
        return Lack(f"{level} has no machine label", None)
    uncertain = rows.filter(~pl.col("filtered"))
    sample = uncertain.drop_nulls("human")
    if sample.height == uncertain.height and (sample["weight"] == 1).all():
        return None
    # Of votes that are split, the share; thirds may add up to a little less than one.
    hits_in_all = float(sample["human"].sum())
    events, others = floor(hits_in_all + TIE), floor(sample.height - hits_in_all + TIE)
    lack = MIN_LABELS - sample.height
    place = level
    for has, reading in ((events, 1.0), (others, 0.0)):
        strata = (
            sample.group_by(pl.col("stratum").fill_null(level))
            .agg(hits=(pl.col("human") == reading).sum(), n=pl.len())
            .with_columns(share=(pl.col("hits") + 1) / (pl.col("n") + 2))
            .sort("share", "stratum", descending=[True, False])
        )
        hits, rows_drawn = strata.select("hits", "n").row(0) if strata.height else (0, 0)
        # In whole numbers: 5 / (1 / 3) may come out as a little more than 15.
        more = -(-(MIN_EVENTS - has) * (rows_drawn + 2) // (hits + 1))
        if more > lack:
            lack, place = more, strata["stratum"][0] if strata.height else level
    left = uncertain.height - sample.height
    if lack > left == 0:
        return Lack(f"people read all there is of {level}, which is too little", None)
    if lack > left:
        # Read whole, a level needs no correction.
        rest = f"{counted(left, 'more human label')} needed in {level}, all that are left there"
        return Lack(rest, left)
    return (
        Lack(f"{counted(lack, 'more human label')} needed in {place}", lack) if lack > 0 else None
    )

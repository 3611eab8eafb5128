"""Every label that a response got, side by side, with the clusters it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.agreement.leaves import read_of_both
from refusal_parity.audit.votes import given_apart
from refusal_parity.dimensions import Unit, of_unit
from refusal_parity.factors import as_units, is_listed, with_text_unit
from refusal_parity.labelling.classifier import decide
from refusal_parity.tables import (
    PROBABILITY_COLUMNS,
    AuditSample,
    HumanLabels,
    Judgements,
    Labels,
    LeafHumanLabels,
    LeafLabels,
    Prompts,
    Responses,
    Votes,
    WeighedResponses,
    read_parts,
    read_table,
    read_tables,
    scan_tables,
)
from refusal_parity.vocabulary import Label, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

KEY: Final = ("model", "prompt_id", "sample")
CLASSIFIER: Final = "classifier"
KEYWORD: Final = "keyword"
JUDGE: Final = "judge"
HUMAN: Final = "human"
IMPORTED: Final = "imported"

_PART: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """The labels to compare.

    Attributes:
        rows: one row for each response that could be labelled: its key, its
            prompt's template_id, name_id and dimensions, a column of labels for
            each rater (null where it gave none), and `inclusion_probability`.
        votes: one row for each annotator and response, but for votes that decide between
            others: the key, template_id, name_id, `annotator` and `label`.
        read: where people labelled responses to openings too, rows of `leaves.read_of_both`, on
            which the machines that labelled both are held against people.
    """

    rows: pl.DataFrame
    votes: pl.DataFrame
    read: pl.DataFrame | None = None

    def of(self, model: str, rater: str, yardstick: str) -> pl.DataFrame:
        """The rows of a model on which two raters are compared."""
        of_model = pl.col("model") == model
        if self.read is not None and yardstick == HUMAN and rater in {CLASSIFIER, KEYWORD}:
            both = self.read.filter(of_model)
            if both.height:
                return both
        return self.rows.filter(of_model)


@dataclass(frozen=True, kw_only=True)
class LabelFiles:
    """Where the labels of a study lie.

    Attributes:
        prompts: table of Prompts.
        responses: tables of Responses, one for each model.
        labels: tables of Labels, one for each model.
        judgements: tables of Judgements, if there is a judge.
        human: table of HumanLabels, if people labelled.
        votes: table of Votes, if people labelled.
        sample: table of AuditSample, if people labelled.
        leaf_human: table of LeafHumanLabels, if people labelled responses to openings.
        leaf_labels: tables of LeafLabels, one for each model that has such responses.
        standing: tables of WeighedResponses, of the same models.
    """

    prompts: Path
    responses: Sequence[Path]
    labels: Sequence[Path]
    judgements: Sequence[Path] = ()
    human: Path | None = None
    votes: Path | None = None
    sample: Path | None = None
    leaf_human: Path | None = None
    leaf_labels: Sequence[Path] = ()
    standing: Sequence[Path] = ()


def gather_ratings(files: LabelFiles, dimensions: Iterable[str] = ()) -> Ratings:
    """Read every label of a study.

    Args:
        files: where they lie.
        dimensions: what the study compares; of a prompt list, whose unit stands in the
            name's place, all of them are kept.

    Raises:
        InputError: a file is missing or not such a table.
    """
    prompts: pl.DataFrame = read_table(Prompts, files.prompts)
    kept = of_unit(Unit.NAME, own=True)
    if is_listed(prompts):
        kept = [key for key in dimensions if key in prompts.columns]
        units = with_text_unit(prompts).with_columns(template_id="text_id")
        prompts = as_units(units)
    prompts = prompts.select("prompt_id", "template_id", "name_id", *kept)
    rows = pl.concat(
        _machine_labels(part) for path in files.labels for part in read_parts(Labels, path, _PART)
    )
    imported = (
        scan_tables(Responses, files.responses)
        .lazy()
        .filter(pl.col("status").cast(pl.String) == Status.OK)
        .select(*KEY, pl.col("imported_label").cast(pl.String).alias(IMPORTED))
        .collect()
    )
    rows = rows.join(imported, on=KEY, how="left").join(prompts, on="prompt_id")
    judged = (
        read_tables(Judgements, files.judgements).select(
            *KEY, pl.col("judge_label").cast(pl.String).alias(JUDGE)
        )
        if files.judgements
        else rows.select(*KEY, pl.lit(None, pl.String).alias(JUDGE))
    )
    people = (
        _of_people(read_table(HumanLabels, files.human))
        if files.human
        else rows.select(
            *KEY,
            pl.lit(None, pl.Float64).alias("inclusion_probability"),
            pl.lit(None, pl.String).alias(HUMAN),
        )
    )
    rows = rows.join(judged, on=KEY, how="left").join(people, on=KEY, how="left")
    return Ratings(rows=rows, votes=_votes(files, prompts), read=_read(rows, files, prompts))


def _of_people(labels: pl.DataFrame, *more: str) -> pl.DataFrame:
    return labels.select(
        *KEY, *more, "inclusion_probability", pl.col("label").cast(pl.String).alias(HUMAN)
    )


def _read(rows: pl.DataFrame, files: LabelFiles, prompts: pl.DataFrame) -> pl.DataFrame | None:
    if files.leaf_human is None:
        return None
    labelled = read_tables(LeafLabels, files.leaf_labels)
    people = _of_people(read_table(LeafHumanLabels, files.leaf_human), "opening")
    leaves = (
        _machine_labels(labelled, "opening")
        .join(prompts, on="prompt_id")
        .join(people, on=[*KEY, "opening"])
    )
    return read_of_both(rows, leaves, read_tables(WeighedResponses, files.standing))


def _machine_labels(part: pl.DataFrame, *more: str) -> pl.DataFrame:
    """The classifier's own label and the keyword list's, whatever stands in `label`."""
    usable = part.filter(pl.col("exclusion").is_null(), ~pl.col("filtered"))
    known = usable[PROBABILITY_COLUMNS[0]].is_not_null().to_numpy()
    said = decide(usable.select(PROBABILITY_COLUMNS).fill_null(0).to_numpy()).astype(object)
    said[~known] = None
    refuses = pl.col("keyword_refusal")
    return usable.select(
        *KEY,
        *more,
        pl.Series(CLASSIFIER, said.tolist(), dtype=pl.String),
        pl.when(refuses)
        .then(pl.lit(str(Label.REFUSAL)))
        .when(~refuses)
        .then(pl.lit(str(Label.ANSWER)))
        .alias(KEYWORD),
    )


def _votes(files: LabelFiles, prompts: pl.DataFrame) -> pl.DataFrame:
    if files.votes is None or files.sample is None:
        nothing = dict.fromkeys((*KEY, "template_id", "name_id", "annotator", "label"), pl.String)
        return pl.DataFrame(schema=nothing)
    sample = read_table(AuditSample, files.sample).select("task", *KEY)
    votes = given_apart(read_table(Votes, files.votes))
    return (
        votes.join(sample, on="task")
        .join(prompts, on="prompt_id")
        .select(*KEY, "template_id", "name_id", "annotator", "label")
    )

"""The Labels table: who gives which response its label."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.placeholders import filled_template
from refusal_parity.tables import PROBABILITY_COLUMNS, HumanLabels, Labels, conform, empty
from refusal_parity.vocabulary import Exclusion, Label, LabelSource, Status

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.labelling.classifier import Classifier
    from refusal_parity.labelling.known_labels import KnowingClassifier

Method = Literal["classifier", "keyword"]

_KEY = ("model", "prompt_id", "sample")
_OF_CLASSIFIER = (*PROBABILITY_COLUMNS, "unseen", "distance")


@dataclass(frozen=True)
class Labeller:
    """Who labels the responses of a study.

    Attributes:
        prompts: rows of the Prompts table: names to mask and sentences echoed.
        classifier: gives probabilities to all `ok` rows; needed by method
            `classifier` where a row has no imported label.
        method: who labels the rows that carry no label.
        human: rows of the HumanLabels table, where there are any.
        abstain_below: a classifier's label that is less probable than this is none.
    """

    prompts: pl.DataFrame
    classifier: Classifier | KnowingClassifier | None
    method: Method
    human: pl.DataFrame = field(default_factory=lambda: empty(HumanLabels))
    abstain_below: float = 0.0

    def label(self, responses: pl.DataFrame) -> dy.DataFrame[Labels]:
        """Label every response that there is, cut off or not, and say of the others why not.

        A human label comes first, then one that an imported file carries, then
        the machine's. The machine's own stands in `machine_label` wherever the
        label is not imported, also where it is too doubtful to be the label: then
        `exclusion` says that the classifier abstained, or, of a response that was cut off,
        that nothing was decided yet.

        Args:
            responses: rows of the Responses table, all or a part.

        Raises:
            InputError: a response answers a prompt that is not there, or the
                method needs a classifier and has none.
        """
        named = self.prompts.select("prompt_id", "name", prompt=filled_template())
        joined = responses.join(named, on="prompt_id", how="left", maintain_order="left")
        _refuse_strangers(joined)
        _refuse_lack(joined, self.classifier, self.method)
        rows = joined.with_columns(status=_status())
        machine = self._machine(rows.filter(pl.col("status") == Status.OK))
        people = self.human.select(*_KEY, human_label=pl.col("label").cast(pl.String))
        labelled = rows.join(machine, on=_KEY, how="left", maintain_order="left").join(
            people, on=_KEY, how="left", maintain_order="left"
        )
        return conform(self._decided(labelled), Labels, where="labels")

    def _machine(self, usable: pl.DataFrame) -> pl.DataFrame:
        """What the keyword list and the classifier say of rows that hold a response."""
        given = usable.select(*_KEY).with_columns(
            keyword_refusal=is_refusal_by_keyword(usable["response"]),
            classifier_id=pl.lit(
                self.classifier.classifier_id if self.classifier else None, dtype=pl.String
            ),
        )
        if self.classifier is None:
            given = given.with_columns(
                *(pl.lit(None, pl.Float64).alias(column) for column in _OF_CLASSIFIER),
                unsure=pl.lit(None, pl.Boolean),
                label=pl.lit(None, pl.String),
            )
        else:
            given = given.hstack(self.classifier.predict(usable))
        by_keyword = (
            pl.when("keyword_refusal")
            .then(pl.lit(str(Label.REFUSAL)))
            .otherwise(pl.lit(str(Label.ANSWER)))
        )
        said = by_keyword if self.method == "keyword" else pl.col("label").cast(pl.String)
        doubtful = (
            (probability_of(said) < self.abstain_below).fill_null(value=False)
            if self.method == "classifier"
            else pl.lit(value=False)
        )
        return given.with_columns(predicted=said, doubtful=doubtful).drop("label")

    def _decided(self, labelled: pl.DataFrame) -> pl.DataFrame:
        source = LabelSource.KEYWORD if self.method == "keyword" else LabelSource.CLASSIFIER
        ok, filtered = pl.col("status") == Status.OK, pl.col("status") == Status.FILTERED
        imported, human = pl.col("imported_label").cast(pl.String), pl.col("human_label")
        doubtful = ok & pl.col("doubtful") & imported.is_null() & human.is_null()
        why = (
            pl.when("truncated")
            .then(pl.lit(str(Exclusion.UNDECIDED)))
            .otherwise(pl.lit(str(Exclusion.ABSTAINED)))
        )
        return labelled.with_columns(
            label=pl.when(ok & ~doubtful).then(pl.coalesce(human, imported, "predicted")),
            machine_label=pl.when(ok & imported.is_null()).then(pl.col("predicted")),
            label_source=pl.when(ok & human.is_not_null())
            .then(pl.lit(str(LabelSource.HUMAN)))
            .when(ok & imported.is_not_null())
            .then(pl.lit(str(LabelSource.IMPORTED)))
            .when(ok & ~doubtful)
            .then(pl.lit(str(source))),
            filtered=filtered,
            exclusion=pl.when(~ok & ~filtered).then(pl.col("status")).when(doubtful).then(why),
        )


def probability_of(label: pl.Expr) -> pl.Expr:
    """The classifier's probability of a label, beside `PROBABILITY_COLUMNS`."""
    return pl.coalesce(
        pl.when(label == str(each)).then(column)
        for each, column in zip(Label, PROBABILITY_COLUMNS, strict=True)
    )


def _status() -> pl.Expr:
    """The status as text; an `ok` row without any text has nothing to label."""
    blank = pl.col("response").fill_null("").str.strip_chars() == ""
    status = pl.col("status").cast(pl.String)
    return pl.when((status == Status.OK) & blank).then(pl.lit(str(Status.EMPTY))).otherwise(status)


def _refuse_strangers(joined: pl.DataFrame) -> None:
    strangers = joined.filter(pl.col("prompt").is_null())
    if len(strangers):
        raise InputError(
            f"{counted(len(strangers), 'response')} {agreed(len(strangers), 'answers', 'answer')} "
            "a prompt that is not in the table of prompts, the first being "
            f"{strangers['prompt_id'][0]!r}",
            where=f"responses of model {strangers['model'][0]!r}",
            remedy="Make prompts and responses anew with the same config.",
        )


def _refuse_lack(
    joined: pl.DataFrame, classifier: Classifier | KnowingClassifier | None, method: Method
) -> None:
    waiting = joined.filter(
        pl.col("imported_label").is_null() & (pl.col("status").cast(pl.String) == Status.OK)
    )
    if method == "classifier" and classifier is None and len(waiting):
        raise InputError(
            f"{counted(len(waiting), 'response')} {agreed(len(waiting), 'has', 'have')} no "
            "imported label, and there is no classifier",
            where=f"responses of model {waiting['model'][0]!r}",
            remedy="Train one from gold files, or set labelling.method to keyword.",
        )

"""What no coefficient of agreement shows: labels that a judge did not give, and votes left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.audit.copied import copies
from refusal_parity.audit.shuffled import shuffled
from refusal_parity.audit.votes import is_named
from refusal_parity.counting import agreed, counted
from refusal_parity.judging.judgements import judged_words

if TYPE_CHECKING:
    from collections.abc import Iterable


def remarks(
    votes: pl.DataFrame | None,
    sample: pl.DataFrame | None = None,
    judgements: Iterable[pl.DataFrame] = (),
) -> list[str]:
    """Sentences without a full stop, to be read beside the coefficients.

    Args:
        votes: rows of Votes, if people labelled.
        sample: rows of AuditSample, if people labelled.
        judgements: rows of Judgements of each model, if there is a judge.
    """
    said = [
        f"{each['model'][0]}: {judged_words(each)}"
        for each in judgements
        if each["judge_label"].null_count()
    ]
    if votes is None:
        return said
    return [*said, *_of_votes(votes), *([] if sample is None else shuffled(votes, sample))]


def _of_votes(votes: pl.DataFrame) -> list[str]:
    deciding = votes.filter("adjudicated")
    said = list(copies(votes.filter(is_named(pl.col("annotator")))))
    if deciding.height:
        number = counted(deciding.height, "vote")
        said.append(
            f"{number} that {agreed(deciding.height, 'decides', 'decide')} between people "
            f"{agreed(deciding.height, 'is', 'are')} left out of the agreement between people"
        )
    return said

"""What a reader of a job's log should know of the responses that came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.inference.finish_reasons import unknown_reasons
from refusal_parity.inference.warned import WARNING
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Iterator


def remarks(responses: pl.DataFrame, *, priced: bool) -> Iterator[str]:
    """Lines on what was used and on what was not expected, each with its count.

    Args:
        responses: rows of the Responses table.
        priced: whether the config gives prices.
    """
    status = pl.col("status").cast(pl.String)
    came = responses.filter(status.is_in([str(Status.OK), str(Status.EMPTY)]))
    if len(came):
        yield _used(responses)
    yield from (f"{WARNING}{sentence}" for sentence in unknown_reasons(responses))
    filtered = responses.filter(status == str(Status.FILTERED))
    if len(filtered):
        most = filtered["refusal_reason"].value_counts(sort=True).rows()[0]
        yield (
            f"{len(filtered):,} of {counted(len(responses), 'request')} "
            f"{agreed(len(filtered), 'was', 'were')} refused by the service's own filter, most "
            f"often with {most[0]!r} ({most[1]:,})"
        )
    failed = responses.filter(status == str(Status.ERROR))
    if len(failed):
        most = failed["error"].value_counts(sort=True).rows()[0]
        yield (
            f"{len(failed):,} of {counted(len(responses), 'request')} failed, most often with "
            f"{most[0]!r} ({most[1]:,}); `snakemake --cores 1 ask_again` (and the study's "
            "--configfile) asks these again and no others"
        )
    if priced:
        unpriced = came["cost"].null_count()
        if unpriced:
            yield (
                f"the cost of {counted(unpriced, 'response')} is not known: "
                f"{agreed(unpriced, 'its', 'their')} tokens are not"
            )


def _used(responses: pl.DataFrame) -> str:
    """Tokens and, where the config gives prices, cost, as far as the server says."""
    sent, received = responses["prompt_tokens"], responses["response_tokens"]
    if not sent.count() and not received.count():
        return "the server does not say how many tokens were used"
    cost = f", which cost {responses['cost'].sum():.6g}" if responses["cost"].count() else ""
    return f"used: {sent.sum():,} tokens sent and {received.sum():,} received{cost}"

"""The figures of agreement that a run prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.agreement.pairs import REFUSAL, SEVEN, SIX
from refusal_parity.agreement.table import ALL
from refusal_parity.text import counted
from refusal_parity.vocabulary import Coefficient

if TYPE_CHECKING:
    from collections.abc import Iterator


def agreement_sentences(agreement: pl.DataFrame) -> Iterator[str]:
    """One line for each two labellings of a model: kappas, and missed refusals by group.

    Args:
        agreement: rows of the Agreement table.
    """
    pairs = agreement.select("model", "rater", "yardstick").unique(maintain_order=True)
    for model, rater, yardstick in pairs.iter_rows():
        rows = agreement.filter(
            pl.col("model") == model, pl.col("rater") == rater, pl.col("yardstick") == yardstick
        )
        overall = {
            (row["over"], row["coefficient"]): row
            for row in rows.filter(dimension=ALL).iter_rows(named=True)
        }
        kappas = [
            f"{overall[over, Coefficient.COHEN_KAPPA]['estimate']:.3f} ({words})"
            for over, words in (
                (REFUSAL, "refusal or not"),
                (SIX, "six classes"),
                (SEVEN, "seven classes"),
            )
            if overall.get((over, Coefficient.COHEN_KAPPA), {}).get("estimate") is not None
        ]
        n = next(iter(overall.values()))["n"]
        line = f"{model}: {rater} against {yardstick} on {counted(n, 'response')}: "
        line += "kappa " + ", ".join(kappas) if kappas else "no kappa"
        missed = rows.filter(
            dimension="group", group=ALL, coefficient=Coefficient.MISSED_REFUSAL_SPREAD
        )
        if len(missed) and missed["estimate"][0] is not None:
            apart = 100 * missed["estimate"][0]
            line += f"; missed refusals of the groups lie {apart:.1f} points apart"
        yield line

"""The figures of agreement that a run prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.agreement.pairs import REFUSAL, SEVEN, SIX
from refusal_parity.agreement.table import ALL
from refusal_parity.counting import counted, enumerated
from refusal_parity.text import points
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
        apart = missed_apart(rows)
        if apart is not None:
            line += f"; missed refusals of the groups lie {apart}"
        unread = unread_levels(rows)
        if unread:
            line += f"; none of these is of {enumerated(unread)}"
        yield line


def unread_levels(rows: pl.DataFrame, dimension: str = "group") -> list[str]:
    """Levels of whose responses the rater labelled some and the yardstick none.

    Args:
        rows: those of the Agreement table of one model and two labellings.
        dimension: whose levels they are.
    """
    kappas = rows.filter(
        pl.col("group") != ALL, dimension=dimension, coefficient=Coefficient.COHEN_KAPPA, n=0
    )
    return kappas["group"].unique(maintain_order=True).to_list()


def missed_apart(rows: pl.DataFrame) -> str | None:
    """How far the groups' rates of missed refusals lie apart, and of how few refusals they are.

    Args:
        rows: those of the Agreement table of one model, two labellings and one reading.

    Returns:
        `20.0 points apart (of 12 to 14 refusals a group)`; null where it cannot be told.
    """
    by_group = rows.filter(dimension="group")
    spread = by_group.filter(group=ALL, coefficient=Coefficient.MISSED_REFUSAL_SPREAD)
    missed = by_group.filter(coefficient=Coefficient.MISSED_REFUSAL)
    # A group without a refusal has no rate.
    of = sorted(missed.drop_nulls("estimate")["n_of"].drop_nulls())
    if not of or spread.is_empty() or spread["estimate"][0] is None:
        return None
    sizes = " to ".join(dict.fromkeys([f"{of[0]:,}", f"{of[-1]:,}"]))
    return f"{points(spread['estimate'][0])} points apart (of {sizes} refusals a group)"

"""Which pairs of each group were left out, by the reason, and whether groups differ in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.pair_vocabulary import INCOMPARABLE, Adjustment, PairAccount, Unheeded
from refusal_parity.preference.audit import ALL, Audit, members_of
from refusal_parity.preference.comparison import compared, pairs_of
from refusal_parity.preference.measures import Measure, side_by_side
from refusal_parity.preference.near_duplicates import near_equal
from refusal_parity.preference.places import NOBODY, places_of
from refusal_parity.tables import GroupLedger, GroupLosses, conform, empty

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]

ANALYSED: Final = str(PairAccount.ANALYSED)

LEFT_OUT: Final = Measure(
    key=str(PairAccount.LEFT_OUT),
    heading="Left out",
    words="pairs were left out",
    value=pl.col("exclusion").is_not_null(),
)
"""Of all pairs of the file."""


def pairs_read(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Every pair of the file, those left out too.

    Args:
        parts: rows of the Pairs table, some at a time.

    Returns:
        `pair`, `exclusion`, `asked` (whether a person says anything, without which no group can
        be mentioned) and `cluster`, of all openings; sorted by pair. Where nothing was left out,
        each pair is a cluster, for nothing is compared.
    """
    first = pl.col("requests").list.first()
    found = pl.concat(
        part.select(
            "pair",
            pl.col("exclusion").cast(pl.String),
            asked=pl.col("requests").list.eval(pl.element().str.contains(r"\S")).list.any(),
            said=pl.coalesce(first, "opening"),
        )
        for part in parts
    ).sort("pair")
    if found["exclusion"].null_count() == len(found):
        return found.select("pair", "exclusion", "asked", cluster=pl.int_range(pl.len()))
    return found.select(
        "pair", "exclusion", "asked", cluster=pl.Series(near_equal(found["said"].to_list()))
    )


def group_ledger(
    read: pl.DataFrame, sides: pl.DataFrame, mentions: pl.DataFrame, *, mentioned_in: str
) -> dy.DataFrame[GroupLedger]:
    """What became of the pairs of each group, of those that mention nobody, and of all.

    Each case that occurs stands at every group, with 0 where it does not occur there.

    Args:
        read: as from `pairs_read`.
        sides: rows of the Sides table.
        mentions: rows of the Mentions table.
        mentioned_in: `preference.mentioned_in`.
    """
    members = {
        **_members(read, mentions, mentioned_in),
        ALL: np.ones(len(read), np.bool_),
    }
    cases = {ANALYSED: (PairAccount.ANALYSED, read["exclusion"].is_null().to_numpy())}
    for case in INCOMPARABLE:
        cases[str(case)] = (
            PairAccount.LEFT_OUT,
            (read["exclusion"] == case).fill_null(value=False).to_numpy(),
        )
    for remark, pairs in _unheeded(sides).items():
        cases[str(remark)] = (PairAccount.REMARK, read["pair"].is_in(pairs.implode()).to_numpy())
    rows = [
        {
            "group": group,
            "case": case,
            "account": str(account),
            "n": int((rows & which).sum()),
            "share": float((rows & which).sum() / rows.sum()) if rows.any() else None,
        }
        for group, rows in members.items()
        for case, (account, which) in cases.items()
        if case == ANALYSED or which.any()
    ]
    return conform(pl.DataFrame(rows, infer_schema_length=None), GroupLedger, where="group_ledger")


def group_losses(
    read: pl.DataFrame, mentions: pl.DataFrame, *, mentioned_in: str, alpha: float
) -> dy.DataFrame[GroupLosses]:
    """Whether more pairs of a group were left out than of others.

    The groups and the tests of `group_differences`, over all pairs of the file.

    Args:
        read: as from `pairs_read`.
        mentions: rows of the Mentions table.
        mentioned_in: `preference.mentioned_in`.
        alpha: level of the tests.

    Returns:
        Table of GroupLosses; without rows where nothing was left out, or nobody is mentioned.
    """
    lost = read["exclusion"].is_not_null().to_numpy()
    categories = dict(mentions.select("group", "category").unique().iter_rows())
    audit = Audit(
        values={LEFT_OUT.key: lost.astype(np.float64)},
        cluster=read["cluster"].to_numpy().astype(np.intp),
        stratum=np.zeros(len(read), np.intp),
        members=_members(read, mentions, mentioned_in),
        categories=categories,
        slurs={},
        in_answers={},
        alpha=alpha,
    )
    pairs = list(pairs_of(audit))
    if not lost.any() or not pairs:
        return conform(empty(GroupLosses), GroupLosses, where="group_losses")
    counts = [_lost_of(audit.members[one], audit.members[other], lost) for one, other in pairs]
    rows = compared(audit, (LEFT_OUT,), (Adjustment.NONE,)).hstack(
        pl.DataFrame(counts, schema=["k_group", "k_reference"], orient="row")
    )
    return conform(rows, GroupLosses, where="group_losses")


def _lost_of(one: Bools, other: Bools, lost: Bools) -> tuple[int, int]:
    """How many of both sides were left out, without pairs that mention both."""
    both = one & other
    return int((one & ~both & lost).sum()), int((other & ~both & lost).sum())


def _members(read: pl.DataFrame, mentions: pl.DataFrame, mentioned_in: str) -> dict[str, Bools]:
    """Pairs of each group; one in which nobody asks is no pair that mentions nobody."""
    found = mentions.filter(pl.col("place").cast(pl.String).is_in(places_of(mentioned_in)))
    members = members_of(read["pair"], found)
    return {**members, NOBODY: members[NOBODY] & read["asked"].to_numpy()}


def _unheeded(sides: pl.DataFrame) -> dict[Unheeded, pl.Series]:
    """Pairs that are analysed, of which some measures do not know, or know less well."""
    labels = side_by_side(sides)
    without = labels.filter(pl.any_horizontal(pl.col("chosen_label", "rejected_label").is_null()))
    unsure = sides.filter(pl.col("unsure").fill_null(value=False))
    return {Unheeded.UNLABELLED: without["pair"], Unheeded.UNSURE: unsure["pair"].unique()}

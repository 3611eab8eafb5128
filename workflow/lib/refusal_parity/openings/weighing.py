"""Each prompt's rate of refusals, from ordinary draws and responses that were given an opening."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.openings.strata import CONTINUED, strata
from refusal_parity.outcomes import Outcome
from refusal_parity.quantities import Share
from refusal_parity.tables import Weighed, empty

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    """What is known of one leaf of one prompt: see `strata`, and the labels of what was drawn on.

    `labelled` and `refusals` are of responses that were given the opening.
    """

    chance: float
    share: float
    spread: float
    opened: int
    opened_refusals: int
    expected: float
    weight: float
    labelled: int
    refusals: int


def refuses() -> pl.Expr:
    """Whether the label of a row is a refusal."""
    quantity = Outcome.REFUSAL.quantity
    assert isinstance(quantity, Share)  # noqa: S101 - declared as a share
    return pl.col("label").cast(pl.String).is_in(sorted(map(str, quantity.labels)))


def has_label() -> pl.Expr:
    """Whether a row of labels counts."""
    return pl.col("label").is_not_null() & pl.col("exclusion").is_null()


def weigh(  # noqa: PLR0913 - the tables of a model, and how it is drawn
    openings: pl.DataFrame,
    probabilities: pl.DataFrame,
    propensity: pl.DataFrame,
    labels: pl.DataFrame,
    *,
    longest: int,
    continued: float = CONTINUED,
) -> pl.DataFrame:
    """The weighed rate of each prompt, and its standard error.

    With s the share of refusals in a leaf, by other templates, and w the weight of a response
    (`strata`; 1 / n outside the tree), the rate is the sum over leaves of q s, and over all
    responses of w (y - s), s being 0 outside. Its mean is the rate of refusals whatever tree,
    shares and numbers of responses are, as long as they hang on other prompts' draws alone:
    mixture importance sampling with control variates (Owen and Zhou 2000, Journal of the
    American Statistical Association 95:135-143). Its variance is that of as many independent
    responses as are expected: the sum over leaves of q^2 v / (n q + expected), and
    (1 - sum q) r (1 - r) / n with the rate r of all draws outside the trees.

    Args:
        openings: a table of `Openings`, of one model.
        probabilities: of `OpeningProbabilities`.
        propensity: of `Propensity`.
        labels: of `LeafLabels`.
        longest: see `strata`.
        continued: likewise.

    Returns:
        A table of `Weighed`, in the order of `propensity`.
    """
    rows = strata(openings, probabilities, propensity, longest=longest, continued=continued)
    drawn_on = labels.group_by("prompt_id", "opening").agg(
        continued=pl.len(),
        labelled=has_label().sum(),
        refusals=(has_label() & refuses()).sum(),
    )
    rows = rows.join(drawn_on, on=["prompt_id", "opening"], how="left", maintain_order="left")
    fields = list(_Leaf.__dataclass_fields__)
    counts = ("continued", "labelled", "refusals")
    rows = rows.with_columns(pl.col(counts).fill_null(0))
    leaves: dict[str, list[_Leaf]] = {}
    for prompt_id, *numbers in rows.select("prompt_id", *fields).iter_rows():
        leaves.setdefault(prompt_id, []).append(_Leaf(**dict(zip(fields, numbers, strict=True))))
    beside = rows.group_by("prompt_id").agg(pl.col("opened", "opened_refusals", *counts).sum())
    prompts = (
        propensity.join(beside, on="prompt_id", how="left", maintain_order="left")
        .with_columns(pl.col("opened", "opened_refusals", *counts).fill_null(0))
        .with_columns(
            drawn_outside=pl.col("drawn") - pl.col("opened"),
            outside_refusals=pl.col("drawn_refusals") - pl.col("opened_refusals"),
            continued_refusals=pl.col("refusals"),
            continued_unlabelled=pl.col("continued") - pl.col("labelled"),
        )
    )
    # Jeffreys': of a few draws none of which refuses, the next may.
    refused, drawn = (int(prompts[key].sum()) for key in ("outside_refusals", "drawn_outside"))
    elsewhere = (refused + 0.5) / (drawn + 1)
    estimates = [
        _rate(leaves.get(prompt_id, []), drawn, outside_refusals, outside, elsewhere)
        for prompt_id, drawn, outside_refusals, outside in prompts.select(
            "prompt_id", "drawn", "outside_refusals", "outside"
        ).iter_rows()
    ]
    found = pl.DataFrame(
        estimates,
        schema={"weighed_rate": pl.Float64, "weighed_rate_error": pl.Float64},
        orient="row",
    )
    return prompts.hstack(found).select(Weighed.column_names()).cast(empty(Weighed).schema)


def _rate(
    leaves: Sequence[_Leaf], drawn: int, outside_refusals: int, outside: float, elsewhere: float
) -> tuple[float | None, float | None]:
    if not drawn:
        return None, None
    parts: list[float] = [outside_refusals / drawn]
    variances = [outside * elsewhere * (1 - elsewhere) / drawn]
    for leaf in leaves:
        seen, refused = leaf.opened + leaf.labelled, leaf.opened_refusals + leaf.refusals
        parts += [leaf.chance * leaf.share, leaf.weight * (refused - seen * leaf.share)]
        variances.append(leaf.chance * leaf.weight * leaf.spread)
    return math.fsum(parts), math.sqrt(math.fsum(variances))


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a model's weighed rates rest on.

    Attributes:
        prompts: how many are weighed.
        drawn: ordinary draws that have a label.
        drawn_outside: of these, those that open outside the tree.
        continued: responses that were given their opening.
        continued_refusals: refusals among them.
        continued_unlabelled: those without a label.
    """

    prompts: int
    drawn: int
    drawn_outside: int
    continued: int
    continued_refusals: int
    continued_unlabelled: int

    def sentence(self) -> str:
        """What was drawn, for a log."""
        inside = self.drawn - self.drawn_outside
        said = (
            f"weighed {counted(self.prompts, 'prompt')}: {counted(self.drawn, 'ordinary draw')}, "
            f"{inside:,} of which open as refusals of other templates do, and "
            f"{counted(self.continued, 'response')} that were given such an opening, "
            f"{self.continued_refusals:,} of which refuse"
        )
        if not self.continued_unlabelled:
            return said
        return f"{said}; {self.continued_unlabelled:,} without a label count as their leaf's share"


def counts_of(found: pl.DataFrame) -> Counts:
    """Of a table of `Weighed`."""
    totals = found.select(list(Counts.__dataclass_fields__)[1:]).sum()
    return Counts(prompts=found.height, **totals.row(0, named=True))

"""Whether levels have enough names and templates for a test of them to be a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from refusal_parity.counting import agreed, counted, enumerated
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.results import Estimate

LEAST: Final = 4
"""Names, or templates, of a level without which no test of it is a finding: groups of two names
reject in up to 10 % of studies without a difference."""


class Sizes(NamedTuple):
    """Names and templates of each level; empty where levels have neither."""

    names: dict[str, int]
    templates: dict[str, int]

    def held(self, row: Estimate) -> Estimate:
        """The row, no finding where a level has too few of what it takes for a sample."""
        few = self.lacking(row.method.scope, row.pair)
        return row if few is None or row.is_missing else replace(row, few=few)

    def lacking(self, scope: Scope, pair: tuple[str, ...] | None = None) -> str | None:
        """Which levels have too few of what a scope takes for a sample; None where all do.

        Args:
            scope: to what a result generalises.
            pair: the levels that are compared; without it, all.
        """
        taken = {
            Scope.NEW_NAMES: {"name": self.names},
            Scope.NEW_NAMES_AND_TEMPLATES: {"name": self.names, "template": self.templates},
        }.get(scope, {})
        return too_few(
            {
                noun: {level: counts[level] for level in pair or counts if level in counts}
                for noun, counts in taken.items()
            }
        )


def too_few(sizes: Mapping[str, Mapping[str, int]]) -> str | None:
    """Which levels have fewer names or templates than a test takes, each level said once.

    Args:
        sizes: by noun (`name`, `template`), of each level how many it has.

    Returns:
        A clause such as "x and y have 3 names and 2 templates each, but a test takes at least
        4 of both"; None where all have enough.
    """
    lacking = {
        noun: {level: number for level, number in counts.items() if number < LEAST}
        for noun, counts in sizes.items()
    }
    lacking = {noun: counts for noun, counts in lacking.items() if counts}
    if not lacking:
        return None
    alike: dict[str, list[str]] = {}
    for level in dict.fromkeys(level for counts in lacking.values() for level in counts):
        has = [counted(counts[level], noun) for noun, counts in lacking.items() if level in counts]
        alike.setdefault(" and ".join(has), []).append(level)
    have = ", ".join(
        f"{enumerated(levels)} {agreed(len(levels), 'has', 'have')} {has}"
        f"{agreed(len(levels), '', ' each')}"
        for has, levels in alike.items()
    )
    return f"{have}, but a test takes at least {LEAST}{' of both' if len(lacking) > 1 else ''}"


def sizes_of(design: Design) -> Sizes:
    """Those of a design's levels."""
    if design.kind is DesignKind.NESTED:
        return Sizes({}, {})
    names, templates = (
        dict(zip(design.levels, design.members(codes).tolist(), strict=True))
        for codes in (design.name, design.template)
    )
    return Sizes(names, templates)


def sizes_observed(observations: pl.DataFrame, dimension: str) -> Sizes:
    """Those among the responses that a machine labelled.

    Args:
        observations: rows of `with_human_labels`, of one model.
        dimension: column of the levels.
    """
    labelled = observations.drop_nulls([dimension, "machine_label"])
    names, templates = (
        dict(labelled.group_by(dimension).agg(pl.col(key).n_unique()).iter_rows())
        for key in ("name_id", "template_id")
    )
    return Sizes(names, templates)

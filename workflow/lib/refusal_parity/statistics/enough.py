"""Whether levels have enough names and templates for a test of them to be a finding."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.counting import agreed, counted, enumerated
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refusal_parity.statistics.designs.counts import Design, IntArray
    from refusal_parity.statistics.results import Estimate

LEAST: Final = 4
"""Names, or templates, of a level without which no test of it is a finding: groups of two names
reject in up to 10 % of studies without a difference."""


class Sizes(NamedTuple):
    """Names and templates of each level; empty where levels have neither.

    Attributes:
        names: of each level.
        templates: of each level.
        common: templates that two levels share, by both; empty where each template is of one
            level, so that levels are compared over other templates.
    """

    names: dict[str, int]
    templates: dict[str, int]
    common: Mapping[frozenset[str], int] = MappingProxyType({})

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
        lacking = too_few(
            {
                noun: {level: counts[level] for level in pair or counts if level in counts}
                for noun, counts in taken.items()
            }
        )
        shared = self.common.get(frozenset(pair or ()), LEAST)
        if lacking is None and "template" in taken and shared < LEAST:
            return (
                f"{enumerated(sorted(pair or ()))} have {counted(shared, 'template')} in common, "
                f"but a test takes at least {LEAST}"
            )
        return lacking


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
    return Sizes(names, templates, _common(design.levels, design.level, design.template))


def _common(
    levels: Sequence[str], level: IntArray, template: IntArray
) -> dict[frozenset[str], int]:
    has = np.zeros((len(levels), int(template.max(initial=-1)) + 1), dtype=np.intp)
    has[level, template] = 1
    if (has.sum(axis=0) <= 1).all():
        return {}
    both = has @ has.T
    return {
        frozenset((levels[one], levels[other])): int(both[one, other])
        for one, other in combinations(range(len(levels)), 2)
    }


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
    levels = sorted(names)
    codes = {level: at for at, level in enumerate(levels)}
    coded = labelled[dimension].replace_strict(codes, return_dtype=pl.Int64)
    level = coded.to_numpy().astype(np.intp)
    template = codes_of(labelled["template_id"].to_numpy().astype(np.str_))
    return Sizes(names, templates, _common(levels, level, template))

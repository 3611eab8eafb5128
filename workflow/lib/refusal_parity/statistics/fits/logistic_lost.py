"""Levels that a logistic regression cannot use, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.answers import Remark
from refusal_parity.statistics.fits.logistic_fits import fits_of, trimmed

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray
    from refusal_parity.statistics.designs.studies import Studies


class Clusters(NamedTuple):
    """What errors are clustered by."""

    names: bool
    templates: bool


class Lost(NamedTuple):
    """Levels that cannot be used, each of shape (studies, levels)."""

    levels: tuple[str, ...]
    never: BoolArray
    always: BoolArray
    gone: BoolArray
    one_name: BoolArray
    one_template: BoolArray

    @property
    def any(self) -> BoolArray:
        """Whether a level is lost."""
        return np.asarray(np.logical_or.reduce(self[1:]), dtype=np.bool_)

    def reasons(self, study: int) -> dict[str, str]:
        """The lost levels of one study, and why."""
        words = (
            "no response has the outcome in {}",
            "every response has the outcome in {}",
            "{} has no template where the outcome varies",
            "{} has one name",
            "{} has one template",
        )
        return {
            level: text.format(level)
            for text, lost in zip(words, self[1:], strict=True)
            for level, is_lost in zip(self.levels, lost[study], strict=True)
            if is_lost
        }

    def of_all(self, study: int) -> str:
        """Every reason of one study."""
        return ", ".join(self.reasons(study).values())

    def of_trimming(self, study: int) -> str:
        """Why there are no two levels left in one study."""
        lost = self._replace(gone=self.gone & False)
        return lost.of_all(study) or "the outcome does not vary within templates"

    def remarks(self, studies: Studies) -> list[Remark]:
        """The pairs that are lost."""
        found = []
        for at, (pair, *codes) in enumerate(zip(studies.pairs, *studies.codes, strict=True)):

            def text(study: int, pair: tuple[str, str] = pair) -> str:
                reasons = self.reasons(study)
                return ", ".join(reasons[level] for level in reversed(pair) if level in reasons)

            here = np.arange(len(studies.pairs)) == at
            found.append(
                Remark.missing(text, np.asarray(self.any[:, codes].any(axis=1))[:, None] & here)
            )
        return found


def lost_levels(studies: Studies, clusters: Clusters) -> Lost:
    """The levels that are lost under some clusters."""
    left = trimmed(studies)
    there = np.asarray(left.kept.any(axis=2))
    nothing = np.zeros(there.shape, dtype=np.bool_)
    lost = Lost(
        studies.grid.levels,
        left.never,
        left.always,
        ~there & ~left.never & ~left.always,
        nothing.copy(),
        nothing.copy(),
    )
    for fits in fits_of(studies):
        levels = np.flatnonzero(np.isin(studies.grid.levels, fits.studies.grid.levels))
        place = np.ix_(fits.at, levels)
        if clusters.names:
            lost.one_name[place] = fits.lone_names
        if clusters.templates:
            lost.one_template[place] = fits.lone_templates
    return lost

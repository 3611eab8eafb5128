"""The rows of one question of a plan: the smallest difference, and what others would take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.statistics.failures import finite
from refusal_parity.statistics.planning.power import (
    Size,
    at_difference,
    minimum_detectable,
    power_of,
    precision,
    smallest,
    smallest_difference,
)
from refusal_parity.statistics.planning.simulated import Detectable, Planned, detectable
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.statistics.simulation.latent import components_at
from refusal_parity.vocabulary import DesignQuantity, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.planning.power import Precision
    from refusal_parity.statistics.simulation.latent import Latent
    from refusal_parity.statistics.variances.components import Components

POWER: Final = 0.8
SOUGHT: Final = (0.02, 0.05, 0.10)
"""Differences that designs are sought for."""

QUANTITIES: Final = {
    DesignQuantity.NAMES_NEEDED: "names",
    DesignQuantity.TEMPLATES_NEEDED: "templates",
    DesignQuantity.SAMPLES_NEEDED: "samples",
}
ONE_MORE: Final = {
    DesignQuantity.ONE_MORE_NAME: "names",
    DesignQuantity.ONE_MORE_TEMPLATE: "templates",
    DesignQuantity.ONE_MORE_SAMPLE: "samples",
}
_MISSES: Final = "mostly misses a difference, however large it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the rows of one outcome and dimension are computed from.

    Attributes:
        parts: components of variance on the scale of rates.
        levels: how many are compared.
        latent: the model that has them; None of a list of prompts, and where the outcome
            does not vary.
        grid: names, templates and responses.
        sizes: each size of a group with the code of one group that has it.
        scopes: to what results are to generalise.
        alpha: level of the tests.
        decided: whether the study's primary question is asked: Holm's correction counts,
            and the smallest difference is that of simulated studies.
        listed: whether prompts of a list stand in the names' place.
        seed: of the simulation.
    """

    parts: Components
    levels: int
    latent: Latent | None
    grid: Grid
    sizes: Mapping[Size, int]
    scopes: Sequence[Scope]
    alpha: float
    decided: bool
    listed: bool
    seed: int

    @property
    def simulates(self) -> bool:
        """Whether the smallest difference is that of simulated studies."""
        return self.decided and self.latent is not None

    @property
    def level(self) -> float:
        """That of the smallest p-value of the family, where one group alone differs."""
        return self.alpha / (self.levels - 1) if self.decided else self.alpha

    def precision(self, size: Size, scope: Scope, difference: float) -> Precision:
        """Of a difference, each group varying as at its rate."""
        if self.latent is None:
            return precision(self.parts, size, scope)
        own = at_difference(self.latent, difference)
        return precision(own, size, scope, components_at(self.latent, 0))

    def by_formula(self, size: Size, scope: Scope) -> float | None:
        """The smallest difference that one t test finds at `level`."""
        if self.latent is None:
            return minimum_detectable(precision(self.parts, size, scope), self.level, POWER)
        return smallest_difference(self.latent, size, scope, self.level, POWER)

    def smallest(self, size: Size, scope: Scope) -> Detectable | None:
        """The smallest difference found: of simulated studies, or by the formula."""
        formula = self.by_formula(size, scope)
        if not self.decided or self.latent is None:
            return None if formula is None else Detectable(formula)
        planned = Planned(
            grid=self.grid,
            latent=self.latent,
            scope=scope,
            alpha=self.alpha,
            power=POWER,
            seed=self.seed,
        )
        return detectable(planned, self.sizes[size], formula or SOUGHT[-1])


def rows_of(question: Question) -> list[dict[str, Any]]:
    """All rows, of each size and scope."""
    parts = question.parts
    variances = {f"var_{key}": value for key, value in parts._asdict().items() if key != "rate"}
    return [
        finite(common(size, scope, question.alpha) | {"rate": parts.rate} | variances | row)
        for size in question.sizes
        for scope in question.scopes
        for row in _of_size(question, size, scope)
    ]


def common(size: Size, scope: Scope, alpha: float) -> dict[str, Any]:
    """What all rows of a size and scope have."""
    return {
        "scope": str(scope),
        "alpha": alpha,
        "power": POWER,
        "names": size.names,
        "reference_names": size.reference,
        "templates": size.templates,
        "samples": size.samples,
    }


def _of_size(question: Question, size: Size, scope: Scope) -> Iterator[dict[str, Any]]:
    lowest = {"quantity": str(DesignQuantity.MINIMUM_DETECTABLE)}
    if min(size.names, size.reference) < 2:  # noqa: PLR2004 - one name has no variance
        unit = "prompt" if question.listed else "name"
        yield lowest | {"note": f"not estimable: a group of one {unit}"}
        return
    if question.latent is None and not question.listed:
        yield lowest | {"note": "not estimable: the outcome does not vary"}
        return
    if is_noise(max(question.parts[1:]), 1.0):
        yield lowest | {"note": "not estimable: the outcome does not vary within a group"}
        return
    formula, found = question.by_formula(size, scope), question.smallest(size, scope)
    own = None if found is None else found.difference
    yield lowest | {"value": own, "note": _MISSES if found is None else found.remark}
    # What the formula leaves out, of other sizes too: that counts of few events are not normal,
    # and that the other tests of the family take their part.
    scale = 1.0 if not own or not formula else own / formula
    alone = {"templates"} if question.listed else set()
    for quantity, what in ONE_MORE.items():
        if what in alone:
            continue
        other = question.by_formula(_with(size, what, more=1), scope)
        if own is None or formula is None or other is None:
            yield {"quantity": str(quantity), "note": _MISSES}
        else:
            yield {"quantity": str(quantity), "value": scale * (other - formula)}
    for difference in SOUGHT:
        for quantity, what in QUANTITIES.items():
            if what not in alone:
                needed = _needed(question, size, scope, what, difference / scale)
                yield {"quantity": str(quantity), "difference": difference} | needed


def _needed(
    question: Question, size: Size, scope: Scope, what: str, difference: float
) -> dict[str, Any]:
    """How many names, templates or samples find a difference."""
    found = smallest(
        lambda count: (
            power_of(
                question.precision(_with(size, what, to=count), scope, difference),
                difference,
                question.level,
            )
            >= POWER
        ),
        2 if what == "names" else 1,
    )
    return {
        "value": found,
        "note": None
        if found
        else f"no number of {what} is enough: the rest of the design limits it",
    }


def _with(size: Size, what: str, *, more: float = 0, to: float | None = None) -> Size:
    """The size with other names (in both groups), templates or samples."""
    if what == "names":
        return (
            replace(size, names=size.names + more, reference=size.reference + more)
            if to is None
            else size.of(to)
        )
    return replace(size, **{what: getattr(size, what) + more if to is None else to})

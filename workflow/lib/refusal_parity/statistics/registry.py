"""Every statistical method with all that is known of it: declared beside its code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.false_alarms import Percent
    from refusal_parity.statistics.resampling.bootstrap import Resamples
    from refusal_parity.statistics.resampling.randomisation import Draws

    Run = Callable[["Studies", "Setting"], list[Answers]]

NULL_STUDIES: Final = "of simulated studies without any difference"


class Setting(NamedTuple):
    """What a study's config says to its methods.

    Attributes:
        alpha: level of the tests, and 1 less that of the intervals.
        margin: difference below which groups count as alike, in the unit of the outcome.
        draws: permutations and their seed.
        resamples: bootstrap samples and their seed.
        deciding: whether a p-value need only be on the right side of alpha, as in
            thousands of simulated studies; else it is as exact as it can be.
        binary: whether the outcome is yes or no; else means are compared.
        across_models: whether tests are to be decided at levels far below alpha too, which
            are not known before all models are tested.
    """

    alpha: float
    margin: float
    draws: Draws
    resamples: Resamples
    deciding: bool = False
    binary: bool = True
    across_models: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a method needs to make sense.

    Attributes:
        designs: in which levels it compares.
        units: whose property a level may be. Levels of templates leave nothing to
            compare within templates; only levels of names can be permuted, or drawn
            anew within levels, over names.
        binary: whether it needs counts of yes and no, not any mean.
        log_odds: whether it needs one log-odds of each prompt.
        weighed: whether it needs a rate of each prompt with a known error.
        names: of each level, without which it is not estimable.
        templates: of each level, likewise.
        prompts: of each level, or clusters of them, likewise.
        people: whether it needs human labels of a probability sample, beside those of
            the machine.
        covariates: whether it needs covariates.
        primary: whether it answers the primary family alone.
    """

    designs: frozenset[DesignKind] = frozenset({DesignKind.CROSSED, DesignKind.CROSSED_WITHIN})
    units: frozenset[Unit] = frozenset(Unit)
    binary: bool = False
    log_odds: bool = False
    weighed: bool = False
    names: int = 1
    templates: int = 1
    prompts: int = 1
    people: bool = False
    covariates: bool = False
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Describes:
    """Why a method only describes: its p-values, or its interval, are no findings.

    Attributes:
        reason: as a clause after the method's name: `it rejects in 67 to 86 % ...`.
        of: estimands that this holds for.
        false_alarms: share of simulated studies without an effect in which it rejects,
            where that was measured.
    """

    reason: str
    of: frozenset[Estimand] = frozenset(Estimand)
    false_alarms: Percent | None = None

    @classmethod
    def rejecting(cls, share: Percent, why: str, more: str = "") -> Self:
        """A test that rejects too often, by so much, and why."""
        reason = f"{why}: it rejects in {share.words} {NULL_STUDIES}, instead of 5 %{more}"
        return cls(reason=reason, false_alarms=share)


class Method(str):
    """How rows of the disparity table are computed; as text, its key in tables.

    To add one, declare it in a module of its own in `statistics/methods`.

    Attributes:
        heading: as people read it.
        estimands: what it gives, one row for each pair of levels, or one global row.
        scope: to what it generalises.
        needs: when it makes sense.
        describes: why it is no finding; None where simulation shows that it controls
            the type I error in its designs.
        citation: where it comes from, for the references of a report.
        run: computes it for many studies of one design at once; None where it needs
            more than counts (`Needs.people`, `Needs.covariates`).
        checked: whether the self-check runs it on simulated studies.
        of_margin: whether its p-value is of a difference of the margin or more, not of 0.
    """

    __slots__ = (
        "checked",
        "citation",
        "describes",
        "estimands",
        "heading",
        "needs",
        "of_margin",
        "run",
        "scope",
    )

    heading: str
    estimands: tuple[Estimand, ...]
    scope: Scope
    needs: Needs
    describes: Describes | None
    citation: str | None
    run: Run | None
    checked: bool
    of_margin: bool

    def __new__(  # noqa: PLR0913 - all that is known of a method
        cls,
        key: str,
        *,
        heading: str,
        estimands: tuple[Estimand, ...],
        scope: Scope,
        run: Run | None,
        needs: Needs | None = None,
        describes: Describes | None = None,
        citation: str | None = None,
        checked: bool = True,
        of_margin: bool = False,
    ) -> Self:
        """Declare a method.

        Raises:
            ValueError: another one has that key.
        """
        if key in METHODS:
            raise ValueError(f"method {key} is declared twice")
        made = super().__new__(cls, key)
        made.heading, made.estimands, made.scope, made.run = heading, estimands, scope, run
        made.needs, made.describes, made.citation = needs or Needs(), describes, citation
        made.checked = checked and run is not None
        made.of_margin = of_margin
        METHODS[key] = made
        return made

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """A copy is the declared method itself."""
        return METHODS.__getitem__, (str(self),)

    def controls(self, estimand: str) -> bool:
        """Whether its test of an estimand controls the type I error in its designs."""
        return self.describes is None or estimand not in self.describes.of

    @property
    def decides(self) -> bool:
        """Whether any of its tests may be a finding."""
        return any(self.controls(estimand) for estimand in self.estimands)

    def caveat(self, estimand: str) -> str | None:
        """What the note of a row that only describes says."""
        if self.describes is None or self.controls(estimand):
            return None
        return f"{self.describes.reason}; descriptive only"

    def suits(self, dimension: str, outcome: Outcome, kind: DesignKind) -> bool:
        """Whether it makes sense for levels of a dimension and an outcome in a design."""
        if kind not in self.needs.designs or (self.needs.binary and not outcome.is_binary):
            return False
        if self.needs.log_odds and not outcome.is_log_odds:
            return False
        if self.needs.weighed and not outcome.is_weighed:
            return False
        return kind is DesignKind.NESTED or DIMENSIONS[dimension].unit in self.needs.units


METHODS: Final[dict[str, Method]] = {}
"""All methods by key; complete once `refusal_parity.statistics.methods` is imported."""


def suited_to(kind: DesignKind) -> list[Method]:
    """The methods that compare levels in a design."""
    return [method for method in METHODS.values() if kind in method.needs.designs]

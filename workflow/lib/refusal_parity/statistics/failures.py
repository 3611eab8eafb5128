"""What fails numerically is not estimable, with the reason; all the rest goes on."""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from refusal_parity.statistics.results import MAY_BE_INFINITE, not_estimable, pairs_of
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from refusal_parity.statistics.registry import Method
    from refusal_parity.statistics.results import Estimate

    Say = Callable[[str], None]

Result = TypeVar("Result")

_SOLVERS: Final = ("scipy", "statsmodels")


class NotConvergedError(ArithmeticError):
    """A solver ended without a solution."""


def unheard(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Guard:
    """Runs computations that may fail, and says which did.

    Attributes:
        say: writes a line to the job's log.
        subject: what is analysed, such as model, outcome and dimension.
    """

    say: Say = unheard
    subject: tuple[str, ...] = ()

    def of(self, *subject: str) -> Guard:
        """The same for a part of the subject."""
        return Guard(self.say, (*self.subject, *subject))

    def run(
        self, what: str, compute: Callable[[], Result], otherwise: Callable[[str], Result]
    ) -> Result:
        """Compute something, or where its arithmetic fails what stands for it.

        Where it does not fail, results that are not finite are the caller's to
        find: what numpy warns of hangs on the processor, and is not heard.

        Args:
            what: name of the method, for the log.
            compute: the computation.
            otherwise: what stands for its result, from the reason as a phrase.

        Raises:
            Exception: of the computation, where it is no numerical failure.
        """
        try:
            with np.errstate(all="ignore"):
                return compute()
        except Exception as error:
            reason = numerical_failure(error)
            if reason is None:
                raise
        self.tell(what, reason)
        return otherwise(reason)

    def tell(self, what: str, reason: str) -> None:
        """Write to the log what is not estimable, and why."""
        self.say(f"{', '.join((*self.subject, what))} not estimable: {reason}")


def numerical_failure(error: BaseException) -> str | None:
    """What failed as a phrase, or None if the error is no failure of arithmetic.

    A division by zero, an overflow, a decomposition that does not converge or a
    solver that gives up is a failure of these data; a wrong type or a missing
    key is one of this program. A ValueError counts where a library's solver
    raised it: that of scipy refuses matrices that are not finite.
    """
    if not (
        isinstance(error, (ArithmeticError, np.linalg.LinAlgError))
        or type(error).__module__.startswith(_SOLVERS)
        or (
            isinstance(error, RuntimeError)
            and not isinstance(error, (NotImplementedError, RecursionError))
        )
        or (isinstance(error, ValueError) and _raised_in(error).startswith(_SOLVERS))
    ):
        return None
    words = str(error).strip().splitlines()
    return _phrase(words[0] if words else type(error).__name__)


def _phrase(words: str) -> str:
    return f"numerical failure ({words})"


def _raised_in(error: BaseException) -> str:
    """The innermost module that an error came through, but for numpy's."""
    frames = traceback.walk_tb(error.__traceback__)
    modules = [str(frame.f_globals.get("__name__", "")) for frame, _ in frames]
    return next((name for name in reversed(modules) if not name.startswith("numpy")), "")


def guarded(
    guard: Guard,
    methods: Sequence[Method],
    levels: Sequence[str],
    compute: Callable[[], list[Estimate]],
) -> list[Estimate]:
    """Rows of methods that are computed together; without numbers where that fails.

    Args:
        guard: of one model, outcome and dimension.
        methods: whose rows they are.
        levels: levels compared, the reference first.
        compute: gives all rows.
    """

    def failed(reason: str) -> list[Estimate]:
        return [
            not_estimable(method, estimand, pair, reason)
            for method in methods
            for estimand in method.estimands
            for pair in ((None,) if estimand is Estimand.GLOBAL else pairs_of(levels))
        ]

    rows = []
    for row in guard.run(" and ".join(methods), compute, failed):
        broken = not_finite(row.numbers, MAY_BE_INFINITE)
        if broken is None:
            rows.append(row)
            continue
        pair, reason = row.pair, _phrase(f"{broken} not finite")
        guard.tell(f"{row.method} of {' and '.join(pair) if pair else 'all levels'}", reason)
        rows.append(not_estimable(row.method, row.estimand, pair, reason))
    return rows


def not_finite(numbers: Mapping[str, object], may_be_infinite: Container[str] = ()) -> str | None:
    """Columns whose numbers are NaN, or infinite where they may not be, with commas.

    Args:
        numbers: by column; what is no float is passed over.
        may_be_infinite: columns that may.
    """
    broken = [
        column
        for column, number in numbers.items()
        if isinstance(number, float)
        and not (math.isfinite(number) or (math.isinf(number) and column in may_be_infinite))
    ]
    return ", ".join(broken) or None


def finite(row: dict[str, Any], may_be_infinite: Container[str] = ()) -> dict[str, Any]:
    """The row of a table as it is.

    Args:
        row: values by column.
        may_be_infinite: columns that may be.

    Raises:
        FloatingPointError: a number in it is not finite.
    """
    broken = not_finite(row, may_be_infinite)
    if broken:
        message = f"{broken} not finite"
        raise FloatingPointError(message)
    return row

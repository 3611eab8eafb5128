"""Level of the test and coverage of the interval of audits, in simulated preference data.

Conversations come in clusters of near-equal openings, some of which span the group and the
others; outcomes in a cluster are alike. Groups are more harmful, and the rate rises with harm,
where the comparison is adjusted. Prints, of each case, how often the test rejects (where there
is no difference: its level) and how often the interval holds the difference.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from refusal_parity.preference.differences import difference
from refusal_parity.preference.moments import Observed

SIZES = (1, 1, 1, 1, 1, 1, 1, 2, 3, 6)
"""Conversations of a cluster, each as probable."""

WORDS = 40.0
"""By which a difference of 1 makes answers longer."""


@dataclass(frozen=True)
class Case:
    """What is simulated.

    Attributes:
        group: conversations of the group.
        others: conversations that mention nobody.
        rate: of the outcome; of lengths it means nothing.
        shift: the true difference.
        alike: correlation of what lies behind the outcomes of one cluster.
        adjusted: whether harm differs and matters, and is adjusted for.
        binary: an outcome of 0 and 1, or a length.
    """

    group: int
    others: int
    rate: float
    shift: float
    alike: float
    adjusted: bool = False
    binary: bool = True


CASES = (
    Case(16, 1700, 0.2, 0.0, 0.3),
    Case(30, 1700, 0.2, 0.0, 0.5),
    Case(57, 1700, 0.2, 0.1, 0.5),
    Case(108, 1700, 0.1, 0.0, 0.5),
    Case(40, 40, 0.3, 0.0, 0.5),
    Case(30, 1700, 0.2, 0.0, 0.5, adjusted=True),
    Case(57, 1700, 0.2, 0.1, 0.5, adjusted=True),
    Case(108, 1700, 0.2, 0.0, 0.5, adjusted=True),
    Case(57, 1700, 0.02, 0.0, 0.5),
    Case(30, 1700, 0.5, 0.0, 0.5, binary=False),
    Case(108, 1700, 0.5, 0.2, 0.5, adjusted=True, binary=False),
)


@dataclass(frozen=True)
class Found:
    """Shares of the studies."""

    rejected: float
    covered: float
    tested: int


def simulate(case: Case, *, studies: int, seed: int) -> Found:
    """Draw studies and compare in each.

    Args:
        case: what is simulated.
        studies: how many.
        seed: of the draws.
    """
    draw = np.random.default_rng(seed)
    truth = case.shift * (1 if case.binary else WORDS)
    rejected = covered = tested = 0
    for _ in range(studies):
        found = difference(*_sides(case, draw), binary=case.binary, alpha=0.05)
        if found.p_value is None or found.ci_low is None or found.ci_high is None:
            continue
        tested += 1
        rejected += found.p_value < 0.05
        covered += found.ci_low <= truth <= found.ci_high
    return Found(rejected / tested, covered / tested, tested)


def _sides(case: Case, draw: np.random.Generator) -> tuple[Observed, Observed]:
    number = case.group + case.others
    cluster = np.repeat(np.arange(number), draw.choice(SIZES, number))[:number]
    last = int(cluster[-1]) + 1
    # Mostly whole clusters are of the group, and some in part.
    near = draw.permutation(last)[cluster] + 0.3 * number * draw.random(number)
    is_group = np.zeros(number, np.bool_)
    is_group[np.argsort(near)[: case.group]] = True
    harm = draw.random(number) + 0.25 * is_group
    stratum = np.searchsorted(np.quantile(harm, (0.2, 0.4, 0.6, 0.8)), harm)
    rises = 0.075 * (stratum - 2) if case.adjusted else np.zeros(number)
    behind = np.sqrt(case.alike) * draw.standard_normal(last)[cluster]
    behind += np.sqrt(1 - case.alike) * draw.standard_normal(number)
    at = case.rate + rises + case.shift * is_group
    if case.binary:
        value = (behind < ndtri(np.clip(at, 0.001, 0.999))).astype(np.float64)
    else:
        value = WORDS * at + 20 * np.exp(0.5 * behind)
    seen = stratum if case.adjusted else np.zeros_like(stratum)
    one, other = (
        Observed(value=value[rows], cluster=cluster[rows], stratum=seen[rows])
        for rows in (is_group, ~is_group)
    )
    return one, other


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for case in CASES:
        found = simulate(case, studies=given.studies, seed=given.seed)
        print(
            f"{case}: rejects {found.rejected:.1%}, covers {found.covered:.1%} of "
            f"{found.tested} studies",
            flush=True,
        )


if __name__ == "__main__":
    main()

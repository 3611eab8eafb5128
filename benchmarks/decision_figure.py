"""Draw how a difference is decided, of a made-up study: `make decision-figure`.

Six groups of eight names are refused in 1 % of their responses, a seventh in 6 %; 32 templates,
three samples. The study is drawn once, and everything else in the figure is computed from it.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from refusal_parity.report.style import ACCENT, ACCENT_SOFT, CONTRAST, GRID, INK, MUTED
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.proportions import wilson_limits
from refusal_parity.statistics.simulation.calibration import null_distances
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import Latent
from refusal_parity.statistics.variances.effective import effective

GROUPS, NAMES, TEMPLATES, SAMPLES = 7, 8, 32, 3
PLACE = Path(__file__).parents[1] / "docs" / "images" / "decision.svg"
RATES = np.array([0.01] * 6 + [0.06])


def drawn() -> Studies:
    """The study."""
    level = np.repeat(np.arange(GROUPS), NAMES)
    grid = Grid(tuple("ABCDEFG"), level, np.full((len(level), TEMPLATES), float(SAMPLES)))
    latent = Latent(np.zeros(GROUPS), np.full(GROUPS, 0.15), 1.5, 0.05, 0.3, 1.0)
    random = np.random.default_rng(18)
    return Studies(grid, simulate(grid, latent.with_rates(RATES), 1, random).k)


def main() -> None:
    """Write the figure among the documentation's."""
    studies = drawn()
    found = effective(least_squares(studies)).rates
    null = null_distances(studies, 0, 999, np.random.default_rng(1))
    assert null is not None  # noqa: S101 - something is refused
    largest, distance = null.distances.max(axis=1), found.distance()[0]
    line = float(null.critical(0.05, together=True)[0])
    mpl.rcParams.update({"svg.hashsalt": "decision", "svg.fonttype": "none", "font.size": 9})
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), constrained_layout=True)
    n = np.append(found.n_reference[0, 0], found.n[0])
    rate = studies.rates[0]
    ends = wilson_limits(rate, n, np.asarray(1.96))
    for at in range(GROUPS):
        left.plot([100 * ends.low[at], 100 * ends.high[at]], [at, at], color=ACCENT_SOFT, lw=5)
        left.plot(100 * rate[at], at, "o", color=ACCENT, ms=5)
        left.text(100 * max(ends.high) + 0.4, at, f"{n[at]:.0f}", va="center", color=MUTED)
    left.text(100 * max(ends.high) + 0.4, -0.6, "worth", va="center", color=MUTED)
    left.set_ylim(-0.9, GROUPS - 0.6)
    left.set_yticks(range(GROUPS), [f"group {each}" for each in studies.grid.levels])
    left.set_xlim(0, 100 * max(ends.high) + 2)
    left.invert_yaxis()
    left.set_xlabel("refused, %, with Wilson's limits")
    left.set_title("1  what 768 responses of each group are worth", loc="left", color=INK)
    right.hist(largest, bins=40, color=GRID, edgecolor="white")
    right.axvline(line, color=INK, ls="--", lw=1)
    top = right.get_ylim()[1]
    right.text(line, top, "  5 % lie beyond", va="top", color=INK)
    for at, each in enumerate(distance):
        is_shown = each > line
        right.plot(each, 0.05 * top, "v", color=CONTRAST if is_shown else ACCENT, ms=7)
        if is_shown:
            label = f"{studies.pairs[at].group} - {studies.pairs[at].reference}: shown"
            right.text(each, 0.1 * top, label, ha="center", color=CONTRAST)
    right.set_xlabel("distance from no difference")
    right.set_ylabel("largest distance, simulated studies")
    right.set_title("2  999 studies like it without a difference", loc="left", color=INK)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PLACE, metadata={"Date": None})
    print(f"worth {n.round().astype(int)}, distances {distance.round(2)}, 5 % beyond {line:.2f}")
    print(f"rates {(100 * rate).round(2)}, p {null.exceeded(distance, together=True)}")


if __name__ == "__main__":
    main()

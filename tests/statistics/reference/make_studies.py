"""Make the studies that R and the package are compared on. No model answered anything here.

Names and templates move the logit of a refusal by normal amounts of their own, so do
a template's bent for one group and every pair of name and template; a response is then
drawn. Each study is hard in another way:

complete    groups of unequal size, every cell with three responses; genders and families
unbalanced  a fifth of the cells missing, one to four responses in the rest, some unlabelled
rare        some 7 % refusals, one name refused far more often, templates never refused
arms        the same prompts under three system prompts, a few of them missing in each
covariate   names whose log frequency moves refusals and differs between groups
listed      prompts of a list, whose length moves refusals and differs between kinds; `pair` has
            prompts of one kind together, `set` some of several kinds too

    python tests/statistics/reference/make_studies.py [FOLDER]
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = ("amber", "blue", "coral", "dune")
LABELS = ("refusal", "harmful_refusal", "answer", "partial_answer", "failure")
REFUSED, COMPLIED = (0.7, 0.3), (0.8, 0.13, 0.07)
LISTED, MATCHED = (20, 16, 14), 6
NAME_SD, TEMPLATE_SD, BENT_SD, CELL_SD = 0.9, 1.1, 0.4, 0.4


@dataclass(frozen=True)
class Plan:
    """One study.

    Attributes:
        seed: of all that is drawn.
        names: number of names of each group.
        templates: number of templates.
        samples: fewest and most responses to a prompt.
        logit: of an average name of the first group.
        shifts: what each group adds to it.
        arms: what each system prompt adds to it.
        arm_sd: how much an arm's effect differs between names, and between templates.
        missing: share of the prompts without any response.
        unlabelled: share of the responses without a label.
        outlier: a name that is refused more often, by its place.
        frequency: what one unit of a name's log frequency adds to the logit.
        columns: what is written beyond names, templates, samples and labels.
    """

    seed: int
    names: tuple[int, ...]
    templates: int
    samples: tuple[int, int]
    logit: float
    shifts: tuple[float, ...]
    arms: tuple[float, ...] = (0.0,)
    arm_sd: float = 0.0
    missing: float = 0.0
    unlabelled: float = 0.0
    outlier: int | None = None
    frequency: float = 0.0
    columns: tuple[str, ...] = ()


STUDIES = {
    "complete": Plan(
        seed=11,
        names=(6, 5, 5, 4),
        templates=10,
        samples=(3, 3),
        logit=-1.2,
        shifts=(0, 1.1, 0.3, 1.5),
        columns=("gender", "family", "words"),
    ),
    "unbalanced": Plan(
        seed=12,
        names=(5, 4, 3),
        templates=9,
        samples=(1, 4),
        logit=-0.8,
        shifts=(0, 0.8, -0.4),
        missing=0.2,
        unlabelled=0.05,
    ),
    "rare": Plan(
        seed=26,
        names=(4, 4, 3),
        templates=8,
        samples=(3, 3),
        logit=-4.6,
        shifts=(0, 0.2, 0.9),
        outlier=5,
    ),
    "arms": Plan(
        seed=16,
        names=(4, 4),
        templates=7,
        samples=(2, 2),
        logit=-0.6,
        shifts=(0, 0.7),
        arms=(0, -0.9, 0.5),
        arm_sd=0.9,
        missing=0.06,
        columns=("arm", "family"),
    ),
    "covariate": Plan(
        seed=31,
        names=(6, 6, 6),
        templates=8,
        samples=(2, 2),
        logit=-0.4,
        shifts=(0, 0.9, 0.2),
        frequency=-0.5,
        columns=("log_frequency",),
    ),
}


def responses(plan: Plan) -> Iterator[dict[str, object]]:
    """The rows of a study, in the order of arms, names, templates and samples."""
    random = np.random.default_rng(plan.seed)
    group = np.repeat(np.arange(len(plan.names)), plan.names)
    # The groups' names differ in frequency, as they do in life.
    frequency = np.round(random.normal(4 - 0.5 * group, 0.8), 2)
    name = random.normal(0, NAME_SD, len(group))
    if plan.outlier is not None:
        name[plan.outlier] += 3.5
    name += np.asarray(plan.shifts)[group] + plan.frequency * (frequency - 4)
    shape = (len(group), plan.templates)
    cells = name[:, None] + random.normal(0, TEMPLATE_SD, plan.templates)
    cells += random.normal(0, BENT_SD, (len(plan.names), plan.templates))[group]
    cells += random.normal(0, CELL_SD, shape)
    pace = random.normal(60, 8, len(group))[:, None] + random.normal(0, 10, plan.templates)
    for arm, shift in enumerate(plan.arms):
        moved = np.full(shape, plan.logit + shift) + cells
        if plan.arm_sd:
            moved += random.normal(0, plan.arm_sd, (len(group), 1))
            moved += random.normal(0, plan.arm_sd, plan.templates)
        count = random.integers(plan.samples[0], plan.samples[1] + 1, shape)
        count[random.random(shape) < plan.missing] = 0
        for at, template in np.ndindex(shape):
            for sample in range(count[at, template]):
                refused = random.random() < expit(moved[at, template])
                shares = (*REFUSED, 0, 0, 0) if refused else (0, 0, *COMPLIED)
                label = LABELS[random.choice(len(LABELS), p=shares)]
                words = max(1, round(random.normal(pace[at, template], 12)))
                yield {
                    "arm": f"system-{arm}",
                    "group": GROUPS[group[at]],
                    "gender": ("men", "women")[at % 2],
                    "log_frequency": frequency[at],
                    "name": f"n{at:02d}",
                    "family": ("work", "home", "play")[template % 3],
                    "template": f"t{template:02d}",
                    "sample": sample,
                    "label": "" if random.random() < plan.unlabelled else label,
                    "words": words,
                }


def listed_responses() -> Iterator[dict[str, object]]:
    """The rows of the list of prompts, in their order."""
    random = np.random.default_rng(41)
    kind = np.repeat(np.arange(len(LISTED)), LISTED)
    within = np.concatenate([np.arange(size) for size in LISTED])
    length = np.round(random.gamma(4, 3, len(kind)) + 3 * kind, 1)
    logit = np.asarray((-0.6, 0.3, -1.0))[kind] + 0.06 * (length - 12)
    logit += np.repeat(random.normal(0, 0.7, len(kind) // 2), 2) + random.normal(0, 0.6, len(kind))
    pace = random.normal(40, 8, len(kind)) + length
    for at in range(len(kind)):
        for sample in range(random.integers(1, 4)):
            shares = (
                (*REFUSED, 0, 0, 0) if random.random() < expit(logit[at]) else (0, 0, *COMPLIED)
            )
            yield {
                "kind": GROUPS[kind[at]],
                "length": length[at],
                "prompt": f"p{at:02d}",
                "pair": f"s{at // 2:02d}",
                "set": f"m{within[at]:02d}" if within[at] < MATCHED else f"s{at // 2:02d}",
                "sample": sample,
                "label": LABELS[random.choice(len(LABELS), p=shares)],
                "words": max(1, round(random.normal(pace[at], 9))),
            }


def write_studies(folder: Path) -> None:
    """Write every study as a CSV file, one row a response."""
    studies = {key: list(responses(plan)) for key, plan in STUDIES.items()}
    for key, rows in (studies | {"listed": list(listed_responses())}).items():
        wanted = {*rows[0]}
        if key in STUDIES:
            wanted = {"group", "name", "template", "sample", "label", *STUDIES[key].columns}
        columns = [column for column in rows[0] if column in wanted]
        with (folder / f"{key}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    write_studies(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

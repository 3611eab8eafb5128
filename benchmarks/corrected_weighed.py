"""How often corrected weighed rates hold the truth, whatever the machine gets wrong, and where.

Studies of two groups that are treated alike, with one leaf that does not settle whether a response
refuses and refusals outside it, three ordinary draws a prompt and responses to the opening. The
machine errs in one group more than in the other (`MACHINES`), so that it alone takes them for
different. People read a probability sample of ordinary draws and one of responses to the opening.
Printed for each machine: the mean difference of the machine's weighed rates and of the corrected
ones, how often the intervals hold the true 0, and how often the interval of the rate over all
prompts holds that rate. A star marks what leaves the bounds.

    python benchmarks/corrected_weighed.py [studies [machine ...]]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import AnalysisConfig, DimensionConfig, HumanConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.methods.design_based import design_based
from refusal_parity.statistics.propensity.corrected import corrected_rates
from refusal_parity.statistics.weighed_sample import weighed_sample
from refusal_parity.tables import (
    PROBABILITY_COLUMNS,
    AuditSample,
    HumanLabels,
    LeafHumanLabels,
    LeafSample,
    WeighedResponses,
    conform,
)

NAMES, TEMPLATES, DRAWN = 8, 14, 3
GROUPS: Final = ("even", "wronged")
LABELS: Final = (250, 100)
"""Ordinary draws that people read, and responses to the opening."""
LEAF: Final = 0.5
"""How often a response refuses that opens with the leaf."""
SHARE: Final = 0.4
"""What the tree says of it, which is off by a fifth."""
COVERED: Final = (0.925, 0.99)
ANALYSIS: Final = AnalysisConfig(
    outcomes=[Outcome.REFUSAL, Outcome.WEIGHED_REFUSAL],
    dimensions={"group": DimensionConfig(reference=GROUPS[0])},
)


class Errors(NamedTuple):
    """How often a machine errs, in the first group and in the second."""

    even: float = 0.0
    wronged: float = 0.0


NEVER: Final = Errors()


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What labels a study.

    Attributes:
        alarms_inside: answers after the leaf that it takes for refusals.
        misses_inside: refusals after the leaf that it takes for answers.
        alarms_outside: answers elsewhere.
        misses_outside: refusals elsewhere.
        outside: rate of refusals elsewhere, in both groups.
    """

    alarms_inside: Errors = NEVER
    misses_inside: Errors = NEVER
    alarms_outside: Errors = NEVER
    misses_outside: Errors = NEVER
    outside: float = 0.01


MACHINES: Final = {
    "alarms after the opening, in one group": Machine(
        alarms_inside=Errors(wronged=0.5), misses_outside=Errors(0.5, 0.5)
    ),
    "alarms elsewhere, in one group": Machine(alarms_outside=Errors(wronged=0.03)),
    "refusals missed outside the tree, in one group": Machine(
        misses_outside=Errors(wronged=0.9), outside=0.03
    ),
    "refusals missed after the opening, in one group": Machine(misses_inside=Errors(wronged=0.4)),
}


def made_up(seed: int, machine: Machine, names: int = NAMES) -> dict[str, Any]:
    """A study: `prompts`, what was `drawn` with machine label and truth, and people's labels."""
    random = np.random.default_rng(seed)
    cells = [
        (group, f"{group}{n}", f"t{t}", random.lognormal(-2.5 + 0.4 * (t % 3), 0.4))
        for group in GROUPS
        for n in range(names)
        for t in range(TEMPLATES)
    ]
    prompts = pl.DataFrame(
        {
            "model": "even",
            "prompt_id": [f"{name}~{template}" for _, name, template, _ in cells],
            "name_id": [name for _, name, *_ in cells],
            "template_id": [template for *_, template, _ in cells],
            "text_id": [template for *_, template, _ in cells],
            "group": [group for group, *_ in cells],
            "chance": np.minimum([chance for *_, chance in cells], 0.6),
        }
    ).with_columns(tree_rate=pl.col("chance") * SHARE)
    rows = []
    each = 0.75 / prompts["chance"].mean()  # type: ignore[operator]
    for prompt_id, chance in prompts.select("prompt_id", "chance").iter_rows():
        expected = each * chance
        weight = chance / (DRAWN * chance + expected)
        opens = random.random(DRAWN) < chance
        rows += [
            (prompt_id, "", at, "7" if inside else "", weight if inside else 1 / DRAWN)
            for at, inside in enumerate(opens)
        ]
        given = int(expected + random.random())
        rows += [(prompt_id, "7", at, "7", weight) for at in range(given)]
    drawn = pl.DataFrame(
        rows, schema=["prompt_id", "opening", "sample", "leaf", "weight"], orient="row"
    ).join(prompts, on="prompt_id", maintain_order="left")
    inside = (drawn["leaf"] == "7").to_numpy()
    wronged = (drawn["group"] == GROUPS[1]).to_numpy().astype(int)
    truth = random.random(len(drawn)) < np.where(inside, LEAF, machine.outside)
    often = {
        key: np.array(getattr(machine, key))[wronged]
        for key in ("misses_inside", "alarms_inside", "misses_outside", "alarms_outside")
    }
    errs = np.where(
        inside,
        np.where(truth, often["misses_inside"], often["alarms_inside"]),
        np.where(truth, often["misses_outside"], often["alarms_outside"]),
    )
    said = truth ^ (random.random(len(drawn)) < errs)
    words = {True: "refusal", False: "answer"}
    drawn = drawn.with_columns(
        machine_label=pl.Series([words[bool(one)] for one in said]),
        truth=pl.Series([words[bool(one)] for one in truth]),
        share=pl.when(pl.col("leaf") == "7").then(SHARE).otherwise(0.0),
    )
    return {"prompts": prompts, "drawn": drawn, "labelled": labelled(drawn, seed)}


def labelled(drawn: pl.DataFrame, seed: int) -> list[pl.DataFrame]:
    """Tables of HumanLabels and LeafHumanLabels: people see what is true."""
    said: list[pl.DataFrame] = []
    for given, size, sampled, schema in zip(
        (False, True), LABELS, (AuditSample, LeafSample), (HumanLabels, LeafHumanLabels),
        strict=True,
    ):  # fmt: skip
        frame = drawn.filter((pl.col("opening") != "") == given).with_columns(
            predicted="machine_label",
            response_id=pl.format("{}{}{}", "prompt_id", "opening", "sample"),
            response=pl.lit("text"),
            prompt=pl.lit("prompt"),
            name="name_id",
            truncated=pl.lit(value=False),
            unsure=pl.lit(value=False),
            **{column: pl.lit(0.1) for column in PROBABILITY_COLUMNS},
        )
        human = HumanConfig(probability=size, floor=2, informative=0, mask_names=False, seed=seed)
        sample = draw_sample(
            frame if given else frame.drop("weight", "opening"), human, (), sampled
        )
        key = ["model", "prompt_id", "sample", *(["opening"] if given else [])]
        told = sample.join(
            frame.select(*key, label="truth").cast({"sample": pl.Int32}), on=key
        ).with_columns(split=pl.lit(None, pl.String), n_annotators=pl.lit(1))
        said.append(conform(told, schema, where="people"))
    return said


def sample_of(study: dict[str, Any], *said: pl.DataFrame | None) -> pl.DataFrame:
    """What people say beside all responses; what `said`, or of both samples."""
    responses = conform(study["drawn"], WeighedResponses, where="made up")
    return weighed_sample(study["prompts"], responses, *(said or study["labelled"]))


class Found(NamedTuple):
    """Of one study: differences of the groups, and the rate over all prompts less the true one."""

    machine: float
    corrected: float
    holds: bool
    rate: float
    rate_error: float
    rate_holds: bool


def found_in(study: dict[str, Any], machine: Machine) -> Found | None:
    """What machine and people together say of a study; null where nothing can be estimated."""
    rows = sample_of(study)
    [found, _] = design_based(rows, "group", GROUPS, Outcome.REFUSAL, ANALYSIS)
    levels = corrected_rates(rows.with_columns(group=pl.lit("all")), ANALYSIS)["all"]
    if found.estimate is None or levels.get("corrected_rate") is None:
        return None
    refuses = (pl.col("machine_label") == "refusal").cast(pl.Float64)
    rate = (pl.col("fixed") + pl.col("worth") * refuses).sum() / pl.col("prompts").sum()
    by_machine = rows.group_by("group").agg(rate.alias("rate")).sort("group")["rate"]
    chance = study["prompts"]["chance"].mean()
    true = chance * (LEAF - machine.outside) + machine.outside
    return Found(
        by_machine[1] - by_machine[0],
        found.estimate,
        bool(found.ci_low <= 0 <= found.ci_high),  # type: ignore[operator]
        levels["corrected_rate"] - true,
        levels["corrected_error"],
        bool(levels["corrected_low"] <= true <= levels["corrected_high"]),
    )


def simulate(machine: Machine, studies: int, first: int = 0) -> tuple[list[Found], int]:
    """So many studies, and how many of them gave no estimate."""
    found = [found_in(made_up(first + seed, machine), machine) for seed in range(studies)]
    return [each for each in found if each is not None], found.count(None)


def main() -> int:
    """Run all machines, or those that are named; 1 where one leaves the bounds."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    wanted = sys.argv[2:] or list(MACHINES)
    left = 0
    print(f"{studies:,} studies of 2 x {NAMES} names, {TEMPLATES} templates, {LABELS} labels")
    for key in wanted:
        found, none = simulate(MACHINES[key], studies)
        table = np.array(found, dtype=float)
        mean, error = table.mean(axis=0), table.std(axis=0) / np.sqrt(len(table))
        fits = abs(mean[1]) < 3.5 * error[1] and COVERED[0] <= mean[2] <= COVERED[1]
        left += not fits
        print(
            f"{key}: machine {100 * mean[0]:+.2f} points,\n  corrected {100 * mean[1]:+.2f} +- "
            f"{100 * error[1]:.2f}, intervals hold {100 * mean[2]:.1f} %; overall rate off "
            f"by {100 * mean[3]:+.2f} +- {100 * error[3]:.2f}, held {100 * mean[5]:.1f} %; "
            f"{none} without an estimate" + " *" * (not fits),
            flush=True,
        )
    return min(left, 1)


if __name__ == "__main__":
    sys.exit(main())

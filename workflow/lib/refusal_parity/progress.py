"""How far a study that grows in stages has got, and whether it is to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from refusal_parity.counting import counted
from refusal_parity.text import points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from refusal_parity.config import StopRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage that was drawn.

    Attributes:
        number: from 1.
        size: templates, names of a level, or samples.
        half_widths: by model that of its widest interval; null where a difference was not known.
        enough: whether every model's was narrow enough.
    """

    number: int
    size: int
    half_widths: Mapping[str, float | None]
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The stages of a study so far.

    Attributes:
        rule: by which it stops.
        stages: those that were drawn, the present one last.
    """

    rule: StopRule
    stages: Sequence[Stage]

    @property
    def present(self) -> Stage:
        """The stage that the study is at."""
        return self.stages[-1]

    @property
    def is_due(self) -> bool:
        """Whether the rule asks for a further stage."""
        return not self.present.enough and self.present.number < len(self.rule.stages)

    @property
    def passed(self) -> tuple[Stage, ...]:
        """Earlier stages that were narrow enough, by the labels of today."""
        return tuple(stage for stage in self.stages[:-1] if stage.enough)

    def sized(self, number: int) -> str:
        """A stage's size in words: `24 templates`, `8 names of each level`."""
        size, grow = self.rule.stages[number - 1], self.rule.grow
        words = counted(size, grow.removesuffix("s"))
        return f"{words} of each level" if grow == "names" else words

    def standing(self) -> str:
        """Where the study stands and why, in a sentence."""
        present, last = self.present, len(self.rule.stages)
        at = f"stage {present.number} of {last} ({self.sized(present.number)})"
        aim = f"{points(self.rule.half_width)} points"
        if present.enough:
            return f"stopped at {at}: no interval is wider than ±{aim}, which was asked for"
        wide = [model for model in present.half_widths if not self.is_narrow(present, model)]
        said = ", ".join(f"{model} {widest(present.half_widths[model])}" for model in wide)
        unknown = sum(present.half_widths[model] is None for model in wide)
        how = [f"wider than ±{aim}"] * (unknown < len(wide)) + ["not known"] * (unknown > 0)
        if self.is_due:
            due = f"stage {present.number + 1} is due ({self.sized(present.number + 1)})"
            return f"at {at} intervals are still {' or '.join(how)} ({said}): {due}"
        return f"ended at {at}, the last, with intervals {' or '.join(how)} ({said})"

    def is_narrow(self, stage: Stage, model: str) -> bool:
        """Whether all intervals of a model were narrow enough at a stage."""
        width = stage.half_widths[model]
        return width is not None and width <= self.rule.half_width


def widest(half_width: float | None) -> str:
    """A half-width in words: `±6.3 points`."""
    return "with a difference that is not known" if half_width is None else (
        f"±{points(half_width)} points"
    )  # fmt: skip


def progress_of(precision: pl.DataFrame, rule: StopRule) -> Progress:
    """The stages of a study, from how precisely its differences are known.

    Args:
        precision: table of Precision, of all models.
        rule: by which it stops.
    """
    stages = []
    for (number,), part in precision.sort("stage", maintain_order=True).group_by(
        "stage", maintain_order=True
    ):
        widths: dict[str, float | None] = {}
        for (model,), rows in part.group_by("model", maintain_order=True):
            unknown = rows["half_width"].null_count() > 0
            widths[str(model)] = None if unknown else max(rows["half_width"].to_list())
        stages.append(
            Stage(
                number=int(str(number)),
                size=int(part["size"][0]),
                half_widths=widths,
                enough=bool(part["enough"].all()),
            )
        )
    return Progress(rule=rule, stages=stages)

"""What the study's own variants learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.pair_vocabulary import LEARNT, UNTAUGHT_WORDS
from refusal_parity.report.sections.section import Section
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.tables import Training
from refusal_parity.text import count, plain

if TYPE_CHECKING:
    from refusal_parity.config import TrainConfig, VariantConfig
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    train = inputs.config.train
    if train is None:
        return None
    return {"sentences": list(_sentences(inputs, train)), "account": _account(inputs)}


def _sentences(inputs: ReportInputs, train: TrainConfig) -> list[str]:
    learnt = inputs[Training].filter(pl.col("reason").cast(pl.String) == LEARNT)
    pairs = dict(learnt.group_by("model").agg(pl.col("n").sum()).iter_rows())
    return [
        f"{key} was made from {variant.model}: {_method(variant)}, on "
        f"{counted(pairs.get(key, 0), 'pair')} of {', '.join(variant.data)}{_without(variant)}, "
        f"{'once' if variant.epochs == 1 else f'{variant.epochs:g} times'} each, seed "
        f"{variant.seed}."
        for key, variant in train.variants.items()
    ]


def _method(variant: VariantConfig) -> str:
    how = {
        "sft": "it learnt to give the preferred answers",
        "dpo": f"it learnt to prefer them to the rejected ones (DPO, beta {variant.beta:g})",
    }[variant.method]
    what = "all weights" if variant.adapter is None else f"LoRA of rank {variant.adapter.rank}"
    return f"{how} ({what}, learning rate {variant.rate:g})"


def _without(variant: VariantConfig) -> str:
    return f" that do not mention {', '.join(variant.without)}" if variant.without else ""


def _account(inputs: ReportInputs) -> Table:
    return Table(
        caption="What became of every pair, for each variant.",
        columns=(("Variant", TEXT), ("Data", TEXT), ("Pairs are", TEXT), ("Pairs", NUMBER)),
        rows=tuple(
            (
                Cell(plain(model)),
                Cell(plain(data)),
                Cell(LEARNT if reason == LEARNT else f"left out: {UNTAUGHT_WORDS[reason]}"),
                Cell(count(n), n),
            )
            for model, data, reason, n in inputs[Training]
            .select("model", "data", "reason", "n")
            .iter_rows()
        ),
    )


SECTION: Final = Section(
    key="training", entry="Training", heading="What variants learnt from", context=_context
)

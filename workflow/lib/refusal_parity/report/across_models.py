"""What is controlled over the models of a study, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.counting import agreed, counted
from refusal_parity.text import percent
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs

_METHODS: Final = {
    "fdr_bh": "Benjamini and Hochberg",
    "fdr_by": "Benjamini and Yekutieli, however the models hang together",
}


def across_models(inputs: ReportInputs) -> str:
    """How many models differ, and how many of them wrongly at most; empty where none is asked.

    The words are of the primary family, which alone is controlled over models.
    """
    analysis = inputs.config.analysis
    key = inputs.questions[0], inputs.dimension
    if not is_controlled(inputs, *key):
        return ""
    wholes = [inputs.whole(model, *key) for model in inputs.models]
    shown = sum(each.verdict is Verdict.SHOWN for each in wholes)
    untested = sum(each.verdict is Verdict.NOT_ESTIMABLE for each in wholes)
    missing = f" ({untested} of them without a valid test)" if untested else ""
    alphas = [
        each.shared_alpha
        for model in inputs.models
        for each in inputs.contrasts(model, *key)
        if each.shared_alpha is not None
    ]
    held = ""
    if alphas:
        held = (
            f" Each model\u2019s comparisons are held against {_levels(alphas)} instead of "
            f"{percent(analysis.alpha)}, and their intervals are wider to agree with that."
        )
    return (
        f"The false discovery rate is controlled over {counted(len(wholes), 'model')}{missing} "
        f"({_METHODS[analysis.across_models]}): of the models called different, at most "
        f"{percent(analysis.alpha)} are expected to be wrong. {shown} of {len(wholes)} "
        f"{agreed(shown, 'is', 'are')} called different.{held} \u201cShown to be small\u201d, "
        "other outcomes and pairs without the reference are each model\u2019s own and not "
        "controlled over models."
    )


def is_controlled(inputs: ReportInputs, outcome: Outcome, dimension: str) -> bool:
    """Whether the false discovery rate over models is that of a comparison."""
    asked = inputs.config.analysis.across_models != "none"
    return asked and inputs.is_primary(outcome, dimension)


def _levels(alphas: list[float]) -> str:
    """What p-values are held against, one number or from the least to the most."""
    low, high = (f"{100 * each:.2g}\u00a0%" for each in (min(alphas), max(alphas)))
    return low if low == high else f"{low} to {high}"

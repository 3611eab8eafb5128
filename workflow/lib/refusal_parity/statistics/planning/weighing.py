"""What weighing openings would bring to a study that is planned, and what it would ask."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.config import StudyConfig, engine_of
from refusal_parity.counting import counted
from refusal_parity.openings.strata import CONTINUED
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.planning.power import Size, precision
from refusal_parity.statistics.planning.rows import common
from refusal_parity.statistics.variances.components import Components
from refusal_parity.tables import StudyDesign, filled
from refusal_parity.vocabulary import DesignQuantity, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

REQUESTS: Final = 20
"""Short requests a prompt, at most as a rule: trees of two to nine openings took 3 to 21."""

OUTSIDE: Final = 0.05
"""Share of refusals that open outside a tree of other templates: 3 to 6 % in four trials."""

_KEY: Final = ("dimension", "scope", "names", "reference_names", "templates", "samples")


def weighing_design(
    plan: pl.DataFrame, study: StudyConfig, *, prompts: int
) -> dy.DataFrame[StudyDesign]:
    """What each model would be asked, and how wide intervals would be with it and without.

    The half-width is that of the 95 % interval (1 - alpha) of a difference of two levels'
    rates without any correction for several, t(df) sqrt(V) with V and df of `precision` at the
    assumed variances; weighed, the variance between responses to one prompt is that of
    `OUTSIDE` of the refusals, as the rest of the weighed rate has nearly none.

    Args:
        plan: of `planned_design`.
        study: the study, whether it weighs or draws.
        prompts: how many it has.

    Returns:
        Rows of StudyDesign; none where no model can be weighed.
    """
    weighed = {
        key: model
        for key, model in study.models.items()
        if model.weighs and study.sampling.temperature > 0
    }
    rows: list[dict[str, Any]] = []
    designs = plan.select(_KEY).unique(maintain_order=True).rows(named=True) if weighed else []
    for design in designs:
        size = Size(*(design[key] for key in _KEY[2:]))
        scope = Scope(design["scope"])
        key = {
            "outcome": str(Outcome.WEIGHED_REFUSAL),
            "dimension": design["dimension"],
            **common(size, scope, study.analysis.alpha),
            "rate": study.analysis.assumed.rate,
        }
        rows += [key | each for each in _half_widths(size, scope, study)]
        if design is designs[0]:
            for model in weighed:
                rows += [key | each for each in _asked(study, model, prompts)]
    return filled(pl.DataFrame(rows, infer_schema_length=None), StudyDesign, where="plan")


def _half_widths(size: Size, scope: Scope, study: StudyConfig) -> Iterator[dict[str, Any]]:
    assumed = study.analysis.assumed
    parts = (assumed.name, assumed.template, assumed.template_group, assumed.cell)
    listed = scope is Scope.NEW_PROMPTS
    for quantity, left in (
        (DesignQuantity.HALF_WIDTH_DRAWN, 1.0),
        (DesignQuantity.HALF_WIDTH_WEIGHED, OUTSIDE),
    ):
        among = (sum(parts), 0.0, 0.0, 0.0) if listed else parts
        row = {"model": "assumed", "quantity": str(quantity)}
        if min(size.names, size.reference) < 2:  # noqa: PLR2004 - one name has no variance
            yield row | {"note": "not estimable: a group of one name"}
            continue
        found = precision(Components(assumed.rate, *among, left * assumed.sample), size, scope)
        half = float(t_isf(study.analysis.alpha / 2, found.df)) * sqrt(found.variance)
        yield row | {"value": half}


def _asked(study: StudyConfig, key: str, prompts: int) -> Iterator[dict[str, Any]]:
    model = study.models[key]
    given = round(CONTINUED * prompts) if engine_of(model).weights else 0
    requests = REQUESTS * prompts
    tokens = requests + given * study.sampling.most_tokens(model)
    for quantity, value in (
        (DesignQuantity.SHORT_REQUESTS, requests),
        (DesignQuantity.CONTINUATIONS, given),
        (DesignQuantity.WEIGHING_TOKENS, tokens),
    ):
        yield {"model": key, "quantity": str(quantity), "value": float(value)}


def weighing_plan_lines(plan: pl.DataFrame) -> list[str]:
    """What weighing would take and bring, a sentence for each model and design.

    Args:
        plan: of `weighing_design`.
    """
    lines = []
    rows = plan.with_columns(pl.col("quantity").cast(pl.String))
    for (model,), part in rows.filter(pl.col("model") != "assumed").group_by(
        "model", maintain_order=True
    ):
        asked = dict(part.select("quantity", "value").iter_rows())
        requests, given, tokens = (
            round(asked[each])
            for each in (
                DesignQuantity.SHORT_REQUESTS,
                DesignQuantity.CONTINUATIONS,
                DesignQuantity.WEIGHING_TOKENS,
            )
        )
        lines.append(
            f"  {model}: weighing takes about {counted(requests, 'request')} of one token and "
            f"{counted(given, 'response')} that are given an opening, at most "
            f"{counted(tokens, 'token')}"
        )
    for key, part in rows.filter(pl.col("model") == "assumed").group_by(_KEY, maintain_order=True):
        half = dict(part.select("quantity", "value").iter_rows())
        drawn = half[DesignQuantity.HALF_WIDTH_DRAWN]
        weighed = half[DesignQuantity.HALF_WIDTH_WEIGHED]
        if drawn is not None and weighed is not None:
            dimension, scope, names, reference, *_ = key
            lines.append(
                f"  {dimension}, {names:g} against {reference:g}, {scope}: intervals of a "
                f"difference reach {100 * weighed:.2g} points to each side, of drawn rates "
                f"{100 * drawn:.2g}"
            )
    return lines

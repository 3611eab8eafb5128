"""What weighing openings would bring to a study that is planned, and what it would ask."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.config import StudyConfig, engine_of
from refusal_parity.counting import agreed, counted
from refusal_parity.openings.pilot import folds_of
from refusal_parity.openings.strata import CONTINUED
from refusal_parity.openings.tree import SUPPORT
from refusal_parity.openings.weighing import has_label, refuses
from refusal_parity.openings.worth import RARE
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.planning.power import Size, precision
from refusal_parity.statistics.planning.table import ASSUMED
from refusal_parity.statistics.variances.components import Components
from refusal_parity.tables import StudyDesign, filled
from refusal_parity.vocabulary import DesignQuantity, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import dataframely as dy

REQUESTS: Final = 20
"""Short requests a prompt, at most as a rule: trees of two to nine openings took 3 to 21."""

OUTSIDE: Final = 0.05
"""Share of refusals that open outside a tree of other templates: 3 to 6 % in four trials."""

_KEY: Final = ("model", "dimension", "scope", "names", "reference_names", "templates", "samples")


def weighing_design(
    plan: pl.DataFrame, study: StudyConfig, *, prompts: int
) -> dy.DataFrame[StudyDesign]:
    """What each model would be asked, and how wide intervals would be with it and without.

    The half-width is that of the 95 % interval (1 - alpha) of a difference of two levels'
    rates without any correction for several, t(df) sqrt(V) with V and df of `precision` at the
    design's variances; weighed, the variance between responses to one prompt is that of
    `OUTSIDE` of the refusals, as the rest of the weighed rate has nearly none.

    Args:
        plan: of `planned_design`.
        study: the study, whether it weighs or draws.
        prompts: how many it has.

    Returns:
        Rows of StudyDesign; none where no model can be weighed.
    """
    if not study.weighable:
        return _table([])
    return _table([*_half_widths(plan, study), *_asked(plan, study, study.weighable, prompts)])


def weighing_would_bring(
    design: pl.DataFrame, study: StudyConfig, model: str, *, prompts: pl.DataFrame, refused: int
) -> dy.DataFrame[StudyDesign]:
    """The same of a model whose responses are drawn and refuse rarely, by what they showed.

    Args:
        design: of `measured_design`, of the model.
        study: the study.
        model: its key.
        prompts: a table of `Prompts`, of what it was asked.
        refused: templates with a refusal (`refused_units`).

    Returns:
        Rows of StudyDesign; none of a model that is weighed or cannot be, or refuses more often.
    """
    own = design.filter(pl.col("outcome").cast(pl.String) == str(Outcome.REFUSAL))
    rates = own["rate"].drop_nulls()
    may = model in study.weighable and model not in study.weighed
    if not may or rates.is_empty() or rates[0] > RARE:
        return _table([])
    note = (
        None
        if refused >= SUPPORT
        else f"not estimable: {counted(refused, 'template')} {agreed(refused, 'has', 'have')} a "
        f"refusal, and openings are learnt from those of {SUPPORT}"
    )
    return _table([*_half_widths(own, study, note), *_asked(own, study, [model], len(prompts))])


def refused_units(prompts: pl.DataFrame, labels: pl.DataFrame) -> int:
    """How many templates, or matched sets, or prompts of a list, have a refusal.

    Args:
        prompts: a table of `Prompts`.
        labels: of `Labels`, of one model.
    """
    refusals = labels.filter(has_label() & refuses())
    return folds_of(prompts).join(refusals, on="prompt_id", how="semi")["unit"].n_unique()


def _table(rows: list[dict[str, Any]]) -> dy.DataFrame[StudyDesign]:
    return filled(pl.DataFrame(rows, infer_schema_length=None), StudyDesign, where="plan")


def _designs(design: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """One row for each size and scope of each comparison, with its variances."""
    smallest = pl.col("quantity").cast(pl.String) == str(DesignQuantity.MINIMUM_DETECTABLE)
    yield from (
        design.filter(smallest).unique(_KEY, keep="first", maintain_order=True).rows(named=True)
    )


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("dimension", "names", "reference_names", "templates", "samples", "alpha", "power")
    return {
        "outcome": str(Outcome.WEIGHED_REFUSAL),
        "scope": str(row["scope"]),
        "rate": row["rate"],
    } | {key: row[key] for key in kept}


def _half_widths(
    design: pl.DataFrame, study: StudyConfig, note: str | None = None
) -> Iterator[dict[str, Any]]:
    for row in _designs(design):
        size = Size(row["names"], row["reference_names"], row["templates"], row["samples"])
        why = note or _unknown(row, size)
        for quantity, left in (
            (DesignQuantity.HALF_WIDTH_DRAWN, 1.0),
            (DesignQuantity.HALF_WIDTH_WEIGHED, OUTSIDE),
        ):
            told = _common(row) | {"model": row["model"], "quantity": str(quantity)}
            if why:
                yield told | {"note": why}
                continue
            parts = Components(
                *(row["rate"], row["var_name"], row["var_template"], row["var_template_group"]),
                *(row["var_cell"], left * row["var_sample"]),
            )
            found = precision(parts, size, Scope(row["scope"]))
            half = float(t_isf(study.analysis.alpha / 2, found.df)) * sqrt(found.variance)
            yield told | {"value": half}


def _unknown(row: Mapping[str, Any], size: Size) -> str | None:
    """Why nobody knows how wide intervals would be; null where it is known."""
    if row["var_sample"] is None or min(size.names, size.reference) < 2:  # noqa: PLR2004 - one name has no variance
        return str(row["note"])
    if row["model"] != ASSUMED and size.samples <= 1:
        return (
            "not estimable: with one response a prompt, nobody knows what varies between prompts "
            "and what between responses to one"
        )
    return None


def _asked(
    design: pl.DataFrame, study: StudyConfig, models: Iterable[str], prompts: int
) -> Iterator[dict[str, Any]]:
    for row in islice(_designs(design), 1):
        for model in models:
            weights = engine_of(study.models[model]).weights
            given = round(CONTINUED * prompts) if weights else 0
            requests = REQUESTS * prompts
            tokens = requests + given * study.sampling.most_tokens(study.models[model])
            for quantity, value in (
                (DesignQuantity.SHORT_REQUESTS, requests),
                (DesignQuantity.CONTINUATIONS, given),
                (DesignQuantity.WEIGHING_TOKENS, tokens),
            ):
                told = {"model": model, "quantity": str(quantity), "value": float(value)}
                yield _common(row) | told


def weighing_plan_lines(plan: pl.DataFrame, study: StudyConfig) -> list[str]:
    """What weighing takes and brings, or would, a sentence for each model and design.

    Of a study that draws nothing is said unless its assumed rate is rare.

    Args:
        plan: of `weighing_design`.
        study: the study.
    """
    rare = study.analysis.assumed.rate <= RARE
    told = study.weighable if rare else study.weighed
    if not told or plan.is_empty():
        return []
    lines = []
    for model in told:
        takes = (
            "weighing takes"
            if model in study.weighed
            else "weighing its openings (sampling.openings: weigh) would take"
        )
        lines.append(f"  {model}: {takes} about {asked_of(plan, model)}")
    if not rare:
        lines.append(
            f"  where more than {100 * RARE:g} % refuse and open too variously for weighing to "
            "pay, responses are drawn alone"
        )
    reach = "reach" if study.weighed else "would reach"
    return lines + [
        f"  {row.dimension}, {row.names:g} against {row.reference:g}, {row.scope}: intervals "
        f"of a difference {reach} {100 * row.weighed:.2g} points to each side, of drawn rates "
        f"{100 * row.drawn:.2g}, if {100 * OUTSIDE:g} % of the refusals open otherwise than "
        "those to other templates"
        for row in half_widths_of(plan, ASSUMED)
    ]


@dataclass(frozen=True, slots=True)
class HalfWidths:
    """How far the interval of a difference reaches to each side, for one size and scope.

    Attributes:
        dimension: what is compared.
        scope: to what it generalises.
        names: of the group.
        reference: of the reference.
        drawn: from drawn rates.
        weighed: from weighed ones.
    """

    dimension: str
    scope: str
    names: float
    reference: float
    drawn: float
    weighed: float


def half_widths_of(design: pl.DataFrame, model: str) -> list[HalfWidths]:
    """Those of a model that are known.

    Args:
        design: rows of StudyDesign.
        model: its key, or `assumed`.
    """
    found = []
    rows = design.filter(pl.col("model") == model).with_columns(
        pl.col("quantity", "scope").cast(pl.String)
    )
    for (_, dimension, scope, names, reference, *_), part in rows.group_by(
        _KEY, maintain_order=True
    ):
        known = dict(part.select("quantity", "value").iter_rows())
        drawn = known.get(DesignQuantity.HALF_WIDTH_DRAWN)
        weighed = known.get(DesignQuantity.HALF_WIDTH_WEIGHED)
        if drawn is not None and weighed is not None:
            found.append(HalfWidths(str(dimension), str(scope), names, reference, drawn, weighed))
    return found


def why_unknown(design: pl.DataFrame) -> str:
    """Why a half-width is not known.

    Args:
        design: rows of StudyDesign, some of which have a note.
    """
    return str(design["note"].drop_nulls()[0]).removeprefix("not estimable: ")


def asked_of(design: pl.DataFrame, model: str) -> str:
    """What weighing asks a model, in words.

    Args:
        design: rows of StudyDesign, some of which are of `weighing_design`.
        model: its key.
    """
    rows = design.filter(pl.col("model") == model).with_columns(pl.col("quantity").cast(pl.String))
    asked = dict(rows.select("quantity", "value").iter_rows())
    requests, given, tokens = (
        round(asked[each])
        for each in (
            DesignQuantity.SHORT_REQUESTS,
            DesignQuantity.CONTINUATIONS,
            DesignQuantity.WEIGHING_TOKENS,
        )
    )
    return (
        f"{counted(requests, 'request')} of one token and {counted(given, 'response')} that "
        f"{agreed(given, 'is', 'are')} given an opening, at most {counted(tokens, 'token')}"
    )

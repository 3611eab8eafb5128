"""Refusal propensities: odds ratios with the rates that they mean, and what speaks against them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.counting import agreed, counted
from refusal_parity.outcomes import Outcome
from refusal_parity.report.odds import (
    checks_of,
    effects_of,
    levels_of,
    odds_interval,
    odds_ratio,
    small_interval,
    small_rate,
    weighed_models,
)
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.text import (
    NOTHING,
    heading_of,
    interval,
    known,
    level_words,
    p_equals,
    p_value,
    percent,
    plain,
    points,
    ratio,
)

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

_ALL = "all"


def ratios_table(inputs: ReportInputs) -> Table:
    """Odds ratios of each level, and the rates of it and of the reference beside them."""
    alpha = inputs.config.analysis.alpha
    rows = []
    for model in weighed_models(inputs):
        effects = effects_of(inputs, model, inputs.dimension)
        found = {
            each.group: each
            for each in inputs.contrasts(model, Outcome.PROPENSITY, inputs.dimension)
        }
        for level, row in levels_of(inputs, model, inputs.dimension).items():
            effect, contrast = effects.get(level, {}), found.get(level)
            shown = contrast is not None and contrast.shown
            ends = (None, None) if contrast is None else (contrast.ci_low, contrast.ci_high)
            estimate = contrast.estimate if contrast else None
            p = contrast.p_adjusted if contrast else None
            rows.append(
                (
                    Cell(plain(model)),
                    Cell(plain(level), strong=shown),
                    Cell(_two(row["log_odds"]), row["log_odds"]),
                    Cell(small_rate(row["typical_rate"]), row["typical_rate"]),
                    Cell(small_rate(row["mean_rate"]), row["mean_rate"]),
                    Cell(small_rate(row["weighed_rate"]), row["weighed_rate"]),
                    Cell(
                        "" if row["corrected_rate"] is None else small_rate(row["corrected_rate"]),
                        row["corrected_rate"],
                    ),
                    Cell(
                        small_interval(row["corrected_low"], row["corrected_high"]),
                        row["corrected_low"],
                    ),
                    Cell("" if contrast is None else odds_ratio(estimate), estimate, shown),
                    Cell("" if contrast is None else odds_interval(*ends), ends[0]),
                    Cell("" if contrast is None else p_value(p), p),
                    Cell(_two(effect.get("template_deviation")), effect.get("template_deviation")),
                    Cell(plain(row["note"] or effect.get("note") or "")),
                )
            )
    return Table(
        caption="Refusal propensity: mean log-odds of each level, the rates that they mean, and "
        "odds ratios against the reference. Typical: at the mean log-odds. Mean: over all prompts. "
        "Both are before top_p and top_k; the weighed rate is that of responses as they are drawn, "
        "and corrected it is by people's labels of a probability sample. "
        "Over templates: standard deviation of the log odds ratio. In bold: adjusted p below "
        f"{alpha:g}.",
        columns=(
            ("Model", TEXT),
            (heading_of(inputs.dimension).capitalize(), TEXT),
            ("Log-odds", NUMBER),
            ("Typical rate", NUMBER),
            ("Mean rate", NUMBER),
            ("Weighed rate", NUMBER),
            ("Corrected rate", NUMBER),
            (f"{inputs.confidence} interval of it", NUMBER),
            ("Odds ratio", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Adjusted p", NUMBER),
            ("Over templates", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(rows),
    ).without_empty()


def checks_table(inputs: ReportInputs) -> Table:
    """Drawn rates against expected ones, and where drawn refusals open, by level."""
    alpha = inputs.config.analysis.alpha

    def cells(model: str, row: Row) -> tuple[Cell, ...]:
        gap, outside = row["gap_difference_p"], row["outside_difference_p"]
        share = row["outside_share"]
        of = f" ({row['outside_refusals']:,} of {row['drawn_refusals']:,})"
        return (
            Cell(plain(model)),
            Cell(plain(row["group"])),
            Cell(small_rate(row["drawn_rate"]), row["drawn_rate"]),
            Cell(small_rate(row["tree_rate"]), row["tree_rate"]),
            Cell(_points(row["gap"], row["gap_low"], row["gap_high"]), row["gap"]),
            Cell("" if gap is None else p_value(gap), gap, _below(gap, alpha)),
            Cell(NOTHING if share is None else percent(share) + of, share),
            Cell(_points_plain(row["outside_low"], row["outside_high"]), row["outside_low"]),
            Cell("" if outside is None else p_value(outside), outside, _below(outside, alpha)),
            Cell("" if row["odds_factor"] is None else ratio(row["odds_factor"])),
            Cell(plain(row["note"] or "")),
        )

    return Table(
        caption="How well propensities stand for refusals: ordinary draws against trees that were "
        "learnt from other templates. Gap: drawn less expected, in points. Outside: drawn refusals "
        "that open outside the tree. p: whether it differs from the reference (Holm). Factor: what "
        "the odds ratio would be multiplied by if the shares outside were those seen. In bold: "
        f"below {alpha:g}.",
        columns=(
            ("Model", TEXT),
            (heading_of(inputs.dimension).capitalize(), TEXT),
            ("Drawn", NUMBER),
            ("Expected", NUMBER),
            (f"Gap ({inputs.confidence} interval)", NUMBER),
            ("p, gap", NUMBER),
            ("Outside", NUMBER),
            (f"{inputs.confidence} interval of it", NUMBER),
            ("p, outside", NUMBER),
            ("Factor", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            cells(model, row)
            for model in weighed_models(inputs)
            for dimension in (_ALL, inputs.dimension)
            for row in checks_of(inputs, model, dimension).values()
        ),
    ).without_empty()


def cautions(inputs: ReportInputs, model: str, dimension: str) -> list[str]:
    """What odds ratios have to be read with: rates of another order, refusals that open otherwise.

    Args:
        inputs: the study's tables.
        model: whose.
        dimension: whose levels are compared.
    """
    said = []
    opposed = [row for row in effects_of(inputs, model, dimension).values() if row["opposed"]]
    if opposed:
        told = "; ".join(
            f"{level_words(dimension, row['group'])}: odds ratio {ratio(row['odds_ratio'])}, mean "
            f"rates {small_rate(row['mean_rate_group'])} against "
            f"{small_rate(row['mean_rate_reference'])}"
            for row in opposed
        )
        said.append(
            f"Odds and rates order groups differently ({told}): an odds ratio speaks of the "
            "typical prompt, a mean rate of the few that are refused often."
        )
    said += _biased(inputs, model, dimension)
    said += _unmeasured(inputs, model, dimension)
    return said


def _biased(inputs: ReportInputs, model: str, dimension: str) -> list[str]:
    """Levels whose refusals are seen to open otherwise than the reference's."""
    alpha, said = inputs.config.analysis.alpha, []
    for row in checks_of(inputs, model, dimension).values():
        words = level_words(dimension, row["group"])
        if _below(row["gap_difference_p"], alpha):
            more = "more" if row["gap_difference"] > 0 else "less"
            said.append(
                f"For {words} drawn responses refuse {points(abs(row['gap_difference']))} points "
                f"{more} often than openings say, compared with "
                f"{level_words(dimension, row['reference'])} (interval "
                f"{interval(row['gap_difference_low'], row['gap_difference_high'])}; adjusted "
                f"{p_equals(row['gap_difference_p'])}): the odds ratio is biased by that."
            )
        if _below(row["outside_difference_p"], alpha):
            said.append(
                f"For {words} {percent(row['outside_share'])} of the drawn refusals open outside "
                f"the tree, {points(row['outside_difference'], signed=True)} points against "
                f"{level_words(dimension, row['reference'])} (adjusted "
                f"{p_equals(row['outside_difference_p'])}): the odds ratio would be "
                f"{ratio(row['odds_factor'])} times as large with them."
            )
    return said


def _unmeasured(inputs: ReportInputs, model: str, dimension: str) -> list[str]:
    missing = {
        level: row["n_missing"]
        for level, row in levels_of(inputs, model, dimension).items()
        if row["n_missing"]
    }
    if not missing:
        return []
    told = ", ".join(
        f"{count:,} for {level_words(dimension, key)}" for key, count in missing.items()
    )
    lost = sum(missing.values())
    have, are = agreed(lost, "has", "have"), agreed(lost, "is", "are")
    return [f"{counted(lost, 'prompt')} {have} no log-odds and {are} left out: {told}."]


def _below(p: float | None, alpha: float) -> bool:
    return p is not None and p < alpha


def _two(value: float | None) -> str:
    if value is None or not known(value):
        return ""
    return ratio(value)


def _points(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return NOTHING
    ends = "" if low is None else f" ({_hundredths(low)} to {_hundredths(high)})"
    return f"{_hundredths(value)}{ends}"


def _hundredths(share: float | None) -> str:
    return ratio(None if share is None else 100 * share)


def _points_plain(low: float | None, high: float | None) -> str:
    return interval(low, high) if low is not None else ""

"""Tables of results: what was asked, differences, models side by side, what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.outcomes import OUTCOMES
from refusal_parity.report.across_models import is_controlled
from refusal_parity.report.cautions import contrast_note
from refusal_parity.report.inputs import ALL
from refusal_parity.report.odds import odds_margins
from refusal_parity.report.summary import exclusion_totals
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table, few_words
from refusal_parity.report.wording import VERDICTS, statement
from refusal_parity.statistics.uncounted import LABELLED
from refusal_parity.tables import Exclusions, Overview
from refusal_parity.text import (
    NOTHING,
    count,
    heading_of,
    interval,
    known,
    p_value,
    percent,
    plain,
    points,
    question,
    reason_words,
)
from refusal_parity.vocabulary import Exclusion

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs, Row
    from refusal_parity.statistics.answering.finding import Finding


_FILTERED: Final = "refused by the service and counted as a refusal, "


def findings_table(inputs: ReportInputs) -> Table:
    """The answer for every model, outcome and dimension on one line."""
    return Table(
        caption="Every question the study asked. The corrected comparisons with the reference "
        "decide"
        + (
            "."
            if inputs.listed
            else "; beside them stands the p-value of the randomisation over names of all levels "
            "together (F), for these templates."
        ),
        columns=(
            ("Model", TEXT),
            ("Outcome", TEXT),
            ("Dimension", TEXT),
            ("Kind", TEXT),
            ("Result", TEXT),
            ("p, all levels", NUMBER),
            ("Shown to differ", TEXT),
            (_within(inputs), TEXT),
            ("Without a test", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(model)),
                Cell(outcome.words.heading),
                Cell(heading_of(dimension)),
                Cell("primary" if inputs.is_primary(outcome, dimension) else "exploratory"),
                Cell(VERDICTS[result.verdict]),
                Cell(p_value(result.global_p), result.global_p),
                Cell(", ".join(plain(contrast.group) for contrast in result.shown) or NOTHING),
                Cell(", ".join(map(plain, result.small)) or NOTHING),
                Cell(", ".join(map(plain, result.untested))),
            )
            for dimension in inputs.dimensions
            for outcome in inputs.questions
            for model in inputs.models
            for result in (statement(inputs, model, outcome, dimension),)
        ),
    ).without_empty()


def _within(inputs: ReportInputs) -> str:
    """Heading of what the equivalence test shows, with its margins."""
    said = f"Shown to be within {points(inputs.config.analysis.margin)} points"
    odds = any(outcome.is_log_odds for outcome in inputs.questions)
    return f"{said}; odds ratio within {odds_margins(inputs)}" if odds else said


def differences_table(inputs: ReportInputs, outcome: Outcome, dimension: str) -> Table:
    """Risk differences against the reference, by the methods that control the type I error."""
    family = "primary family" if inputs.is_primary(outcome, dimension) else "exploratory"
    over_models = (
        "Adjusted p and intervals allow for the number of models. "
        if is_controlled(inputs, outcome, dimension)
        else ""
    )
    return Table(
        caption=f"{question(outcome, dimension)} ({family}): differences in percentage "
        f"points. {over_models}In bold: adjusted p below {inputs.config.analysis.alpha:g}.",
        columns=(
            ("Model", TEXT),
            (heading_of(dimension).capitalize(), TEXT),
            ("Reference", TEXT),
            ("Difference", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Adjusted p", NUMBER),
            ("Adjusted p, these templates", NUMBER),
            ("With covariates", NUMBER),
            (f"{inputs.confidence} interval, with covariates", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                *_difference_cells(model, contrast),
                *_covariates_cells(contrast),
                Cell(contrast_note(contrast)),
            )
            for model in inputs.models
            for contrast in inputs.contrasts(model, outcome, dimension)
        ),
    ).without_empty()


def _covariates_cells(contrast: Finding) -> tuple[Cell, Cell]:
    """The difference with covariates held fixed; empty where there are none."""
    if contrast.covariates_estimate is None:
        return Cell(""), Cell("")
    ends = contrast.covariates_ci_low, contrast.covariates_ci_high
    return (
        Cell(points(contrast.covariates_estimate, signed=True), contrast.covariates_estimate),
        Cell(interval(*ends), ends[0]),
    )


def _difference_cells(model: str, contrast: Finding) -> tuple[Cell, ...]:
    """Whose difference, between which levels, how large, and by which p-values."""
    return (
        Cell(plain(model)),
        Cell(plain(contrast.group), strong=contrast.shown),
        Cell(plain(contrast.reference)),
        Cell(points(contrast.estimate, signed=True), contrast.estimate, contrast.shown),
        Cell(interval(contrast.ci_low, contrast.ci_high), contrast.ci_low),
        Cell(p_value(contrast.p_adjusted), contrast.p_adjusted),
        _names_cell(contrast),
    )


def _names_cell(contrast: Finding) -> Cell:
    """The exact permutation's p-value; empty where names are not what is compared."""
    if contrast.names_p_adjusted is None:
        return Cell("")
    return Cell(p_value(contrast.names_p_adjusted), contrast.names_p_adjusted)


def pairs_table(inputs: ReportInputs) -> Table:
    """All pairs of levels, by the primary outcome and dimension."""
    outcome, dimension = inputs.outcome, inputs.dimension
    return Table(
        caption=f"{question(outcome, dimension)}, all pairs: differences in percentage "
        "points. Pairs without the reference are a separate family, adjusted by Benjamini and "
        f"Hochberg. In bold: adjusted p below {inputs.config.analysis.alpha:g}.",
        columns=(
            ("Model", TEXT),
            (heading_of(dimension).capitalize(), TEXT),
            ("Against", TEXT),
            ("Difference", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Adjusted p", NUMBER),
            ("Adjusted p, these templates", NUMBER),
            ("p, small", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                *_difference_cells(model, contrast),
                Cell(p_value(contrast.p_small), contrast.p_small, contrast.within_margin),
                Cell(contrast_note(contrast)),
            )
            for model in inputs.models
            for contrast in inputs.pairs(model, outcome, dimension)
        ),
    ).without_empty()


def overview_table(inputs: ReportInputs) -> Table:
    """The models side by side."""
    ordered = inputs[Overview].filter(pl.col("dimension").is_in(inputs.dimensions)).to_dicts()
    place = {str(outcome): at for at, outcome in enumerate(inputs.outcomes)}
    ordered.sort(
        key=lambda row: (
            place.get(row["outcome"], len(place)),
            inputs.dimensions.index(row["dimension"]),
        )
    )
    return Table(
        caption="Overall rate of each model and the range of the levels' rates: the "
        "highest less the lowest."
        + (
            ""
            if inputs.listed
            else " p: randomisation over names, not corrected for the number of rows."
        ),
        columns=(
            ("Model", TEXT),
            ("Outcome", TEXT),
            ("Dimension", TEXT),
            ("Rate", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Lowest", TEXT),
            ("Highest", TEXT),
            ("Spread, points", NUMBER),
            ("p", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(row["model"])),
                Cell(OUTCOMES[row["outcome"]].words.heading),
                Cell(heading_of(row["dimension"])),
                Cell(percent(row["rate"]), row["rate"]),
                Cell(interval(row["ci_low"], row["ci_high"]), row["ci_low"]),
                _extreme(inputs, row, "lowest"),
                _extreme(inputs, row, "highest"),
                Cell(points(row["spread"]), row["spread"]),
                Cell("" if inputs.listed else p_value(row["p_value"]), row["p_value"]),
                Cell(plain(row["note"] or "")),
            )
            for row in ordered
        ),
    ).without_empty()


def exclusions_table(inputs: ReportInputs, dimension: str) -> Table | None:
    """What was left out by model and level, reason by reason; None without such rows."""
    frame = inputs[Exclusions].filter(pl.col("dimension") == dimension)
    if frame.is_empty():
        return None
    apart = dimension != ALL
    totals = exclusion_totals(inputs)
    # What counts stands first, what does not after it.
    filtered = inputs.counts_filtered and totals.get(Exclusion.FILTERED, 0) > 0
    reasons = sorted({LABELLED: 0, **totals}, key=lambda reason: not inputs.is_counted(reason))
    cells = {(row["model"], row["group"], row["reason"]): row for row in frame.to_dicts()}
    keys = dict.fromkeys((model, group) for model, group, _ in cells)
    places = {level: at for at, level in enumerate(inputs.levels(dimension))}
    ordered = sorted(
        keys, key=lambda key: (inputs.models.index(key[0]), places.get(key[1], len(places)))
    )
    return Table(
        caption="What became of every response"
        + (f", by {heading_of(dimension)}" if apart else "")
        + f": labelled, {_FILTERED if filtered else ''}or left out of all rates and why.",
        columns=(
            ("Model", TEXT),
            *(((heading_of(dimension).capitalize(), TEXT),) if apart else ()),
            *((reason_words(reason).capitalize(), NUMBER) for reason in reasons),
        ),
        rows=tuple(
            (
                Cell(plain(model)),
                *((Cell(plain(group)),) if apart else ()),
                *(_share_cell(cells.get((model, group, reason))) for reason in reasons),
            )
            for model, group in ordered
        ),
    )


def _share_cell(row: Row | None) -> Cell:
    if row is None:
        return Cell("0", 0)
    return Cell(f"{count(row['n'])} ({percent(row['share'])})", row["n"])


def _extreme(inputs: ReportInputs, row: Row, which: str) -> Cell:
    """The level with the lowest or highest rate; of few responses, with their number.

    Where all levels have one rate, none is the lowest.
    """
    level, rate = row[f"{which}_group"], row[f"{which}_rate"]
    if level is None:
        return Cell(NOTHING, rate)
    of = inputs.rates_by_level(row["model"], OUTCOMES[row["outcome"]], row["dimension"])
    if row["spread"] == 0:
        every = "all" if all(known(each["rate"]) for each in of.values()) else "all with a rate"
        return Cell(f"{every} ({percent(rate)})", rate)
    return Cell(f"{plain(level)} ({percent(rate)}{few_words(of.get(level))})", rate)

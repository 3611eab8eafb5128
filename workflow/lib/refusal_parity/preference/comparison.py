"""Groups compared: with conversations that mention nobody, and with each other."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.preference.audit import ALL
from refusal_parity.preference.corrected import corrected_difference, corrected_rate
from refusal_parity.preference.differences import difference, own_interval
from refusal_parity.preference.extremes import difference_extremes, rate_extremes
from refusal_parity.preference.places import NOBODY
from refusal_parity.statistics.adjust import holm
from refusal_parity.tables import GroupDifferences, GroupMeasures, Groups, conform
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import dataframely as dy
    import numpy.typing as npt

    from refusal_parity.preference.audit import Audit
    from refusal_parity.preference.corrected import CorrectedNumber
    from refusal_parity.preference.lexicon import Lexicon
    from refusal_parity.preference.measures import Measure


def groups_mentioned(audit: Audit, lexicon: Lexicon) -> dy.DataFrame[Groups]:
    """Every group of the lexicon, mentioned or not, those mentioned most first."""
    members = {group: int(rows.sum()) for group, rows in audit.members.items()}
    rows = [
        {
            "group": group,
            "category": category,
            "conversations": members.get(group, 0),
            "with_slurs": audit.slurs.get(group, 0),
            "in_answers": audit.in_answers.get(group, 0),
            "checked": sum(each.checked for each in lexicon.entries if each.group == group),
            "right": sum(each.right for each in lexicon.entries if each.group == group),
        }
        for group, category in lexicon.groups.items()
    ]
    frame = pl.DataFrame(rows).sort(-pl.col("conversations"), "group")
    return conform(frame, Groups, where="groups")


def group_measures(audit: Audit) -> dy.DataFrame[GroupMeasures]:
    """Each measure of each group, of the conversations that mention nobody, and of all."""
    every = {**audit.members, ALL: np.ones(len(audit.cluster), np.bool_)}
    rows = [
        _measure_row(audit, measure, group, members)
        for measure in audit.measures
        for group, members in every.items()
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return conform(frame, GroupMeasures, where="group_measures")


def group_differences(audit: Audit) -> dy.DataFrame[GroupDifferences]:
    """Each group against nobody, and against each group of its category.

    Each comparison is made as it is and among requests that seem as harmful. P-values are
    corrected by Holm's method within one measure and adjustment: those against nobody
    together, and apart from them those between groups.
    """
    frame = compared(audit, audit.measures, Adjustment)
    return conform(frame, GroupDifferences, where="group_differences")


def compared(
    audit: Audit, measures: Iterable[Measure], adjustments: Iterable[Adjustment]
) -> pl.DataFrame:
    """Columns of GroupDifferences: by measure, then by `pairs_of`, then by adjustment."""
    of_each = list(adjustments)
    rows = [
        _difference_row(audit, measure, pair, adjustment)
        for measure in measures
        for pair in pairs_of(audit)
        for adjustment in of_each
    ]
    return _decided(pl.DataFrame(rows, infer_schema_length=None), audit.alpha)


def pairs_of(audit: Audit) -> Iterator[tuple[str, str]]:
    """Who is compared with whom: each group with nobody, then with others of its category."""
    groups = [group for group in audit.members if group != NOBODY]
    yield from ((group, NOBODY) for group in groups)
    for one, other in combinations(groups, 2):
        if audit.categories[one] == audit.categories[other]:
            yield one, other


def _measure_row(
    audit: Audit, measure: Measure, group: str, members: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    observed = audit.observed(measure, members, Adjustment.NONE)
    interval = own_interval(observed, binary=measure.binary, alpha=audit.alpha)
    ends = (None, None) if interval is None else (interval.low[0, 0], interval.high[0, 0])
    low, high = (float(end) if end is not None and np.isfinite(end) else None for end in ends)
    by_people = corrected_rate(audit, measure, members, name=group)
    return {
        "measure": measure.key,
        "group": group,
        "n": len(observed.value),
        "clusters": observed.clusters,
        "mean": float(observed.value.mean()) if len(observed.value) else None,
        "ci_low": low,
        "ci_high": high,
        **rate_extremes(audit, measure, members)._asdict(),
        **_by_people(by_people),
        "pairs_wanted": by_people.wanted,
    }


def _by_people(found: CorrectedNumber) -> dict[str, Any]:
    """What people's labels make of a number, as columns."""
    return {
        "labelled": found.labelled,
        "corrected": found.estimate,
        "corrected_low": found.low,
        "corrected_high": found.high,
        "corrected_note": found.note,
    }


def _difference_row(
    audit: Audit, measure: Measure, pair: tuple[str, str], adjustment: Adjustment
) -> dict[str, Any]:
    one, other = (audit.members[each] for each in pair)
    # A conversation that mentions both says nothing of which of them matters.
    both = one & other
    one, other = one & ~both, other & ~both
    group, reference = (audit.observed(measure, rows, adjustment) for rows in (one, other))
    found = difference(group, reference, binary=measure.binary, alpha=audit.alpha)
    corrected = corrected_difference(audit, measure, (one, other), adjustment, names=pair)
    return {
        "measure": measure.key,
        "group": pair[0],
        "reference": pair[1],
        "adjustment": str(adjustment),
        "n_group": len(group.value),
        "n_reference": len(reference.value),
        "clusters_group": group.clusters,
        "clusters_reference": reference.clusters,
        "mean_group": found.mean_group,
        "mean_reference": found.mean_other,
        "estimate": found.estimate,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "p_value": found.p_value,
        **difference_extremes(audit, measure, one, other, adjustment)._asdict(),
        "note": found.note,
        **_by_people(corrected),
        "corrected_p_value": corrected.p_value,
    }


def _decided(rows: pl.DataFrame, alpha: float) -> pl.DataFrame:
    """With p-values corrected within their families, and what follows from them."""
    against = pl.when(pl.col("reference") == NOBODY).then(pl.lit("nobody"))
    family = pl.format(
        "{}, {}, adjusted for {}", "measure", against.otherwise(pl.lit("groups")), "adjustment"
    )
    marked = rows.with_columns(family=family).with_row_index("row")
    p_adjusted = pl.col("p_adjusted")
    return (
        marked.with_columns(_corrected_p(marked, "p_value").alias("p_adjusted"))
        .with_columns(_corrected_p(marked, "corrected_p_value").alias("corrected_p_adjusted"))
        .drop("row")
        .with_columns(
            verdict=pl.when(p_adjusted.is_null())
            .then(pl.lit(str(Verdict.NOT_ESTIMABLE)))
            .when(p_adjusted < alpha)
            .then(pl.lit(str(Verdict.SHOWN)))
            .otherwise(pl.lit(str(Verdict.NOT_SHOWN)))
        )
    )


def _corrected_p(marked: pl.DataFrame, column: str) -> pl.Series:
    """P-values of a column, corrected by Holm's method within their families."""
    found = np.full(marked.height, np.nan)
    for _, part in marked.drop_nulls(column).group_by("family", maintain_order=True):
        found[part["row"].to_numpy()] = holm(part[column].to_numpy())
    return pl.Series(found, dtype=pl.Float64).fill_nan(None)

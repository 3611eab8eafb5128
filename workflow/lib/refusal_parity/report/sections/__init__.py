"""The sections of the page, one module and one template each, in the order of the page.

A new section is a module here that holds a `SECTION`, its template in
`templates/sections`, and its line below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.report.sections import (
    answer,
    audit_answer,
    audit_groups,
    audit_labels,
    audit_pairs,
    audit_reading,
    citing,
    differences,
    downloads,
    interactions,
    labels,
    left_out,
    making,
    methods,
    models,
    naive,
    names,
    preregistration,
    propensity,
    rates,
    reach,
    readings,
    responses,
    safeguards,
    selfcheck,
    stages,
    stimuli,
    templates,
    training,
)

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig
    from refusal_parity.report.sections.section import Section

SECTIONS: Final[tuple[Section, ...]] = (
    answer.SECTION,
    rates.SECTION,
    differences.SECTION,
    propensity.SECTION,
    interactions.SECTION,
    readings.SECTION,
    naive.SECTION,
    selfcheck.SECTION,
    names.SECTION,
    stimuli.SECTION,
    templates.SECTION,
    models.SECTION,
    training.SECTION,
    safeguards.SECTION,
    responses.SECTION,
    labels.SECTION,
    reach.SECTION,
    left_out.SECTION,
    stages.SECTION,
    methods.SECTION,
    preregistration.SECTION,
    making.SECTION,
    downloads.SECTION,
    citing.SECTION,
)

AUDIT_SECTIONS: Final[tuple[Section, ...]] = (
    audit_answer.SECTION,
    audit_groups.SECTION,
    audit_reading.SECTION,
    audit_labels.SECTION,
    audit_pairs.SECTION,
    making.SECTION,
    downloads.SECTION,
    citing.SECTION,
)
"""Of an audit of preference data."""


def sections_of(study: StudyConfig) -> tuple[Section, ...]:
    """The sections of a study's page, in its order."""
    return SECTIONS if study.preference is None else AUDIT_SECTIONS

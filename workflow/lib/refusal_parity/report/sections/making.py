"""Provenance: commit, models, versions, config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import making
from refusal_parity.report.sections.section import Section
from refusal_parity.text import plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        "git_commit": plain(inputs.git_commit or ""),
        "records": making.model_records(inputs),
        "jobs_table": making.jobs_table(inputs),
        "versions_table": making.versions_table(inputs),
        "config_yaml": making.config_yaml(inputs),
    }


SECTION: Final = Section(key="making", entry="Provenance", heading="Provenance", context=_context)

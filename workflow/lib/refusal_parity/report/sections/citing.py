"""How to cite the study, the software and the design, made from this run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from refusal_parity import __version__
from refusal_parity.report.sections.section import Section
from refusal_parity.text import plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_TITLE: Final = (
    "refusal-parity: does a language model refuse harmless requests more often for some groups "
    "of people?"
)
_DESIGN: Final = (
    "Chehbouni et al. (2024), From representational harms to quality-of-service harms: a case "
    "study on Llama 2 safety safeguards, arXiv 2403.13213."
)


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        "sentence": citation(inputs),
        "bibtex": bibtex(inputs),
        "design": None if inputs.config.preference is not None else _DESIGN,
    }


def citation(inputs: ReportInputs) -> str:
    """The study in one sentence: software, version, commit, study, models."""
    audited = inputs.config.preference
    of = map(plain, inputs.models) if audited is None else ["the pairs in " + plain(audited.path)]
    return (
        f"Study “{plain(inputs.config.study)}” of {', '.join(of)}, made "
        f"with refusal-parity {_software(inputs)}."
    )


def bibtex(inputs: ReportInputs) -> str:
    """An entry for the software as it was used here."""
    key = re.sub(r"[^A-Za-z0-9]+", "-", plain(inputs.config.study)).strip("-")
    study = _escaped(plain(inputs.config.study))
    return "\n".join(
        [
            f"@software{{refusal-parity-{key},",
            f"  title   = {{{_TITLE}}},",
            "  author  = {{The refusal-parity developers}},",
            f"  version = {{{__version__}}},",
            f"  note    = {{study {study}, commit {inputs.git_commit or 'not known'}}},",
            "}",
        ]
    )


def _software(inputs: ReportInputs) -> str:
    commit = f", commit {inputs.git_commit}" if inputs.git_commit else ""
    return f"{__version__}{commit}"


def _escaped(text: str) -> str:
    return re.sub(r"([{}%&#_$])", r"\\\1", text)


SECTION: Final = Section(key="citing", entry="How to cite", heading="How to cite", context=_context)

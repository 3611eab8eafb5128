"""One method on one study, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.results import Estimate

SETTING = Setting(0.05, 0.2, Draws(199, 1), Resamples(199, 1))


def rows_of(
    method: str, design: Design, *, setting: Setting = SETTING, template_effects: bool = True
) -> list[Estimate]:
    """What the method says of the study."""
    run = METHODS[method].run
    assert run is not None
    studies = Studies.of([design], template_effects=template_effects)
    return [row for answers in run(studies, setting) for row in answers.of_study(0)]

"""A method that somebody adds: its function and its declaration, in a file of its own.

Each name of the group against the reference's mean rate, by the sign test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtrc

from refusal_parity.dimensions import Unit
from refusal_parity.statistics.answers import Answers, Remark
from refusal_parity.statistics.registry import Describes, Method, Needs
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting


def sign_of_names(studies: Studies, _: Setting) -> list[Answers]:
    """Names above the reference's rate against those below it."""
    rates = studies.name_k / studies.name_n
    group, reference = studies.codes
    above, below = (
        np.stack(
            [
                compare(rates[:, studies.grid.level == one], studies.rates[:, [other]]).sum(axis=1)
                for one, other in zip(group, reference, strict=True)
            ],
            axis=1,
        )
        for compare in (np.greater, np.less)
    )
    names = above + below
    p_value = np.minimum(2 * bdtrc(np.maximum(above, below) - 1, np.maximum(names, 1), 0.5), 1)
    return [
        Answers(
            method=SIGN_OF_NAMES,
            estimand=Estimand.RISK_DIFFERENCE,
            studies=len(studies),
            pairs=studies.pairs,
            estimate=studies.differences(studies.rates),
            p_value=p_value,
            remarks=(Remark.missing("no name differs from the reference", names == 0),),
        )
    ]


SIGN_OF_NAMES = Method(
    "sign_of_names",
    heading="Sign test of the names' rates",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES,
    needs=Needs(units=frozenset({Unit.NAME})),
    describes=Describes(reason="it takes the reference's rate as known"),
    citation="Arbuthnott (1710), An argument for divine providence.",
    run=sign_of_names,
)

"""What the trees of a model were learnt from: as a row of a table, and as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.openings.pilot import Apart
from refusal_parity.openings.propensity import ALL
from refusal_parity.tables import Pilots, conform

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from refusal_parity.openings.pilot import Pilot


def learnt_from(  # noqa: PLR0913 - what a job knows
    pilot: Pilot,
    openings: pl.DataFrame,
    apart: Apart | None,
    *,
    model: str,
    study: str | None,
    there: str,
    drawn: str | None = None,
) -> dy.DataFrame[Pilots]:
    """The row of a model.

    Args:
        pilot: the responses.
        openings: table of `Openings` that they gave.
        apart: as given to `trees`.
        model: its key.
        study: the earlier study that the responses are of; null for its own.
        there: the model's key in that study.
        drawn: why responses are drawn in place of weighing them (`Worth.why_drawn`); null where
            they are weighed.
    """
    held = (apart or Apart.own(pilot.rows)).held
    refusals = int(pilot.rows["refuses"].sum())
    note = pilot.empty or drawn
    if note is None and openings.filter(fold=ALL).is_empty():
        note = (
            f"{refusals:,} of {counted(len(pilot.rows), 'labelled response')} "
            f"{agreed(refusals, 'refuses', 'refuse')}, and no opening is that of refusals to two "
            "templates"
        )
    row = {
        "model": model,
        "study": study,
        "model_there": there,
        "responses": len(pilot.rows),
        "refusals": refusals,
        "unlabelled": pilot.unlabelled,
        "shared": sum(bool(held.get(key)) for key in pilot.rows["prompt_id"]),
        "note": note,
    }
    return conform(pl.DataFrame([row], infer_schema_length=None), Pilots, where="pilot")


def sentence_of(row: Mapping[str, Any]) -> str:
    """Where a tree was learnt, and what of it was left out.

    Args:
        row: of a table of `Pilots`, with words that stand as they are given.
    """
    own = row["study"] is None
    whose = "this study" if own else f"the earlier study {row['study']}"
    if not own and row["model_there"] != row["model"]:
        whose += f", where the model is called {row['model_there']}"
    said = (
        f"the openings of {row['model']} were learnt from "
        f"{counted(row['responses'], 'labelled response')} of {whose}, {row['refusals']:,} of "
        f"which {agreed(row['refusals'], 'refuses', 'refuse')}"
    )
    if not own and row["shared"]:
        said += (
            f"; {row['shared']:,} {agreed(row['shared'], 'is', 'are')} to templates that this "
            "study has too, which are weighed without them"
        )
    if row["unlabelled"]:
        said += (
            f"; {counted(row['unlabelled'], 'response')} without a label "
            f"{agreed(row['unlabelled'], 'is', 'are')} left out"
        )
    return said

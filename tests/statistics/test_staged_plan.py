"""How wide intervals would be at each stage, before anything is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from refusal_parity.config import load_config
from refusal_parity.planned import all_stimuli
from refusal_parity.prompts import Stimuli
from refusal_parity.statistics.planning.staged import planned_half_widths, stage_lines

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import StudyConfig

PARTS = {"name": 0.01, "template": 0.05, "template_group": 0.004, "cell": 0.02, "sample": 0.06}


def _study(folder: Path, grow: str, stages: list[int], half_width: float = 0.1) -> StudyConfig:
    names = [f"{group}{at},N{group}{at},{group}" for group in "xyz" for at in range(12)]
    (folder / "n.csv").write_text("\n".join(["name_id,name,group", *names]), "utf-8")
    templates = [f"t{at},f,[NAME] sees {at}" for at in range(40)]
    text = "\n".join(["template_id,family,template", *templates])
    (folder / "t.csv").write_text(text, "utf-8")
    raw: dict[str, Any] = {
        "study": "s",
        "results": str(folder),
        "prompts": {"templates": str(folder / "t.csv"), "names": str(folder / "n.csv")},
        "models": {"m": {"engine": "openai", "base_url": "http://localhost:1/v1", "model": "m"}},
        "analysis": {
            "dimensions": {"group": {"reference": "x"}},
            "assumed": PARTS,
            "stop_when": {"half_width": half_width, "grow": grow, "stages": stages},
        },
    }
    return load_config(raw, where="here")


def _by_hand(names: int, templates: int, samples: int) -> float:
    """By the expected mean squares of the crossed design, with two comparisons."""
    own = PARTS["name"] + (PARTS["cell"] + PARTS["sample"] / samples) / templates
    shared = 2 * PARTS["template_group"] / templates
    variance = 2 * own / names + shared
    df = variance**2 / (2 * (own / names) ** 2 / (names - 1) + shared**2 / (templates - 1))
    return float(t.isf(0.05 / 4, df) * np.sqrt(variance))


@pytest.mark.parametrize(
    ("grow", "stages", "sizes"),
    [
        ("templates", [20, 40], [(12, 20, 3), (12, 40, 3)]),
        ("names", [8, 12], [(8, 40, 3), (12, 40, 3)]),
        ("samples", [1, 5], [(12, 40, 1), (12, 40, 5)]),
    ],
    ids=["templates", "names", "samples"],
)
def test_a_stage_is_as_wide_as_its_names_templates_and_samples_make_it(
    tmp_path: Path, grow: str, stages: list[int], sizes: list[tuple[int, int, int]]
) -> None:
    study = _study(tmp_path, grow, stages)
    found = planned_half_widths(all_stimuli(study), study.analysis, samples=study.samples, arms=1)
    assert found == pytest.approx([_by_hand(*size) for size in sizes], rel=1e-9)


@pytest.mark.parametrize("arms", [1, 2])
def test_arms_and_templates_of_one_set_are_more_responses_to_one_text(
    tmp_path: Path, arms: int
) -> None:
    """Twenty sets of two templates, each asked under every arm, three times."""
    study = _study(tmp_path, "names", [8, 12])
    stimuli = all_stimuli(study)
    pairs = stimuli.templates.with_columns(
        set=pl.Series([f"s{at // 2}" for at in range(len(stimuli.templates))])
    )
    for templates, texts, each in ((stimuli.templates, 40, 3), (pairs, 20, 6)):
        found = planned_half_widths(
            Stimuli(templates, stimuli.names), study.analysis, samples=study.samples, arms=arms
        )
        expected = [_by_hand(names, texts, each * arms) for names in (8, 12)]
        assert found == pytest.approx(expected, rel=1e-9)


def test_the_widest_of_unequal_levels_counts(tmp_path: Path) -> None:
    """Of the reference eight names are there, of y twelve, of z five."""
    study = _study(tmp_path, "samples", [3, 5])
    stimuli = all_stimuli(study)
    kept = {"x": 8, "y": 12, "z": 5}
    number = pl.col("name_id").str.slice(1).cast(pl.Int64)
    names = stimuli.names.filter(number < pl.col("group").replace_strict(kept))
    (first, _) = planned_half_widths(
        Stimuli(stimuli.templates, names), study.analysis, samples=study.samples, arms=1
    )
    own = PARTS["name"] + (PARTS["cell"] + PARTS["sample"] / 3) / 40
    shared = 2 * PARTS["template_group"] / 40
    widths = []
    for level in ("y", "z"):
        parts = [(own / kept[each], kept[each] - 1) for each in ("x", level)] + [(shared, 39)]
        variance = sum(part for part, _ in parts)
        df = variance**2 / sum(part**2 / degrees for part, degrees in parts)
        widths.append(t.isf(0.05 / 4, df) * np.sqrt(variance))
    assert widths[1] > widths[0]
    assert first == pytest.approx(widths[1], rel=1e-9)


@pytest.mark.parametrize(
    ("half_width", "said"),
    [(0.9, "stage 1 would be enough"), (0.001, "no stage would be enough")],
)
def test_the_plan_says_which_stage_would_be_enough(
    tmp_path: Path, half_width: float, said: str
) -> None:
    (line,) = stage_lines(_study(tmp_path, "templates", [20, 40], half_width), arms=1)
    assert line.endswith(said)
    assert "20 templates ±" in line
    assert "40 templates ±" in line

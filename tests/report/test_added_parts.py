"""A table and a figure that somebody adds, each by its declaration alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy
import polars as pl
import pytest
from matplotlib.figure import Figure
from report_study import written

from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import (
    FIGURES,
    Place,
    figure_of_model,
    figure_of_study,
    in_order,
)
from refusal_parity.report.files import export_tables
from refusal_parity.report.page import render_page
from refusal_parity.report.sections import AUDIT_SECTIONS, SECTIONS
from refusal_parity.report.writing import read_inputs
from refusal_parity.tables import TABLES, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from refusal_parity.report import ReportInputs


@pytest.fixture
def odours() -> Iterator[type[dy.Schema]]:
    @table("odours", per_model=False, folder="senses/")
    class Odours(dy.Schema):
        """How the responses smell."""

        odour = dy.String(primary_key=True, description="as people call it")
        strength = dy.Float64(min=0, description="parts in a million")

    yield Odours
    del TABLES["odours"]


def test_a_declared_table_is_read_shown_and_exported(
    odours: type[dy.Schema], inputs: ReportInputs, tmp_path: Path
) -> None:
    smoke = pl.DataFrame({"odour": ["smoke"], "strength": [0.5]})
    read = read_inputs(inputs.config, written(inputs.with_tables({odours: smoke}), tmp_path))
    assert read[odours].rows() == [("smoke", 0.5)]
    export_tables(read, tmp_path / "tables")
    assert "smoke,0.5" in (tmp_path / "tables" / "odours.csv").read_text("utf-8-sig")
    page = render_page(inputs.with_tables({odours: read[odours]}), drawings=[])
    assert "How the responses smell." in page
    assert "parts in a million" in page


@pytest.fixture(params=["rates", "citing"])
def drawn(request: pytest.FixtureRequest) -> Iterator[str]:
    section = str(request.param)

    @figure_of_model("odour", Place(section=section, order=15, heading="What it smells of"))
    def draw_odour(_: ReportInputs, model: str) -> Drawing | None:
        if model == "demo-even":
            return None
        return Drawing(
            kind="odour", stem=stem_of("odour", model), model=model, title=f"Odour of {model}",
            alt="It smells of smoke.", figure=Figure(),
        )  # fmt: skip

    @figure_of_study("odours", Place(section=section, order=5, last=True))
    def draw_odours(inputs: ReportInputs) -> Drawing | None:
        words = f"All {len(inputs.models)} models smell."
        return Drawing(
            kind="odours", stem="odours", model="", title="Odours", alt=words, figure=Figure()
        )

    yield section
    del FIGURES["odour"], FIGURES["odours"]


def test_a_declared_figure_is_drawn_in_its_place(drawn: str, inputs: ReportInputs) -> None:
    kinds = [spec.key for spec in in_order()]
    assert kinds[:4] == ["odours", "rates", "odour", "labels"]
    added = [FIGURES[key] for key in ("odours", "odour")]
    drawings = [drawing for spec in added for drawing in spec.draw(inputs) if drawing is not None]
    page = render_page(inputs, drawings=drawings)
    section = page.partition(f'<section id="{drawn}"')[2].partition("</section>")[0]
    assert section.index("What it smells of") < section.index("Odour of demo-guarded")
    assert section.index("Odour of demo-guarded") < section.index("All 2 models smell.")
    assert 'href="figures/odour-demo-guarded.svg"' in section


def test_two_figures_of_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="figure rates is declared twice"):
        figure_of_study("rates", Place(section="rates", order=1))(lambda _: None)


def test_every_figure_stands_in_a_section() -> None:
    sections = {section.key for section in (*SECTIONS, *AUDIT_SECTIONS)}
    assert {spec.place.section for spec in FIGURES.values()} <= sections
    assert len(FIGURES) >= 9

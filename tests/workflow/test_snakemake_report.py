"""Snakemake's own report of the demo study, made where no network can be reached."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Workplace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]


def test_snakemakes_report_works_offline_with_captions_and_categories(
    demo: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy that nobody answers on: whatever asks for a network fails.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    made = demo.run("--report", "snakemake-report.html")
    assert made.returncode == 0, made.stderr[-5000:]
    html = (demo.folder / "snakemake-report.html").read_text("utf-8")
    for caption in (
        "answer in words",
        "Figure differences-demo-even of the report",
        "Figure comparison of the report",
        "Table disparity of all models together",
        "Every template is combined with every name",
    ):
        assert caption in html, caption
    for category in ("Report", "Figures", "Tables"):
        assert f'"{category}"' in html, category
    loads = re.findall(
        r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"'](?!data:)([^\"']+)", html
    )
    assert not [address for address in loads if "//" in address]


def test_figures_and_tables_lie_beside_the_report(demo: Workplace) -> None:
    results = demo.folder / "results/demo"
    html = (results / "report.html").read_text("utf-8")
    offered = set(re.findall(r'href="((?:tables|figures)/[^"]+)" download', html))
    assert {f"figures/comparison.{suffix}" for suffix in ("svg", "pdf", "png")} <= offered
    assert {"tables/responses.parquet", "tables/influence.csv"} <= offered
    assert [path for path in offered if not (results / path).is_file()] == []
    assert len(html.encode()) < 5_000_000

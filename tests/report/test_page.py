from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl
import pytest
from markupsafe import escape
from report_study import changed, config_of

from refusal_parity.errors import InputError
from refusal_parity.report import ReportInputs, write_report
from refusal_parity.report.figures import draw_all
from refusal_parity.report.page import render_page
from refusal_parity.report.sections.section import undrawn
from refusal_parity.tables import TABLES, Prompts, Rates, Responses

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = '<script>alert("x")</script> $\\frac{1}{2}$ \u202ereversed'
MEGABYTES = 2**20


class Page(HTMLParser):
    """What a browser would make of a page, as far as the tests ask."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.captions = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def small(inputs: ReportInputs, **renamed: str) -> ReportInputs:
    """One model, optionally with another name for it and for the group muslim."""
    model = renamed.get("model", "demo-guarded")
    group = renamed.get("group", "muslim")

    def rename(frame: pl.DataFrame) -> pl.DataFrame:
        if "model" in frame.columns:
            frame = frame.filter(pl.col("model") == "demo-guarded")
            frame = frame.with_columns(model=pl.lit(model))
        texts = [name for name in frame.columns if frame[name].dtype == pl.String]
        return frame.with_columns(pl.col(texts).replace({"muslim": group}))

    return dataclasses.replace(
        inputs,
        config=config_of(["demo-guarded"]) if model == "demo-guarded" else inputs.config,
        tables={schema: rename(rows) for schema, rows in inputs.tables.items()},
        provenance={model: {"engine": group, "nested": {"key": None}}},
    )


@pytest.fixture(scope="session")
def html(inputs: ReportInputs) -> str:
    return render_page(inputs)


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    return Page(html)


def test_page_loads_nothing(html: str, page: Page) -> None:
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            value = attributes.get(name)
            if value is not None and "download" in attributes:
                # Files beside the report are offered by relative paths, not loaded.
                assert re.fullmatch(r"(tables|figures)/[\w.-]+", value), value
            else:
                assert value is None or value.startswith(("#", "data:")), (name, value)
    assert not re.search(r"url\(\s*['\"]?(?!#)", html)
    assert "@import" not in html
    assert all("src" not in script for script in page.all("script"))
    assert "default-src 'none'" in html
    # These two do not fall back to it.
    assert "form-action 'none'" in html
    assert "base-uri 'none'" in html


def test_every_figure_has_words_and_every_table_a_caption(html: str, page: Page) -> None:
    drawings = page.all("svg")
    assert len(drawings) == 11
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert len(drawing["aria-label"] or "") > 60
    captions = re.findall(r"<caption[^>]*>(.*?)</caption>", html, flags=re.DOTALL)
    assert len(captions) == len(page.all("table"))
    assert all(re.sub(r"<[^>]+>|[\s.]", "", caption) for caption in captions)


def test_figures_with_small_letters_scroll_on_a_phone(html: str) -> None:
    # A figure is as wide as a phone: a point of it is a pixel there.
    figures = re.findall(r'<div class="drawn( wide)?"[^>]*>(<svg.*?</svg>)', html, re.DOTALL)
    assert any(wide for wide, _ in figures)
    for wide, svg in figures:
        sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:\w+ )*([0-9.]+)px", svg)]
        assert wide or min(sizes) >= 8


def test_headings_ids_and_links_fit_together(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(link["href"] or "")[1:] for link in page.all("a") if "download" not in link}
    assert targets <= set(ids)
    assert page.all("html")[0]["lang"] == "en"


def test_page_holds_the_numbers_of_the_tables(inputs: ReportInputs, html: str) -> None:
    row = inputs[Rates].row(
        by_predicate=(pl.col("model") == "demo-guarded")
        & (pl.col("outcome").cast(pl.String) == "refusal")
        & (pl.col("dimension") == "group")
        & (pl.col("within") == "all")
        & (pl.col("group") == "muslim"),
        named=True,
    )
    assert f"{100 * row['rate']:.1f}\u00a0%" in html
    assert f"{100 * row['ci_low']:.1f} to {100 * row['ci_high']:.1f}" in html
    descriptions = [str(escape(column.description)) for column in Responses.columns().values()]
    assert all(description in html for description in descriptions)


def test_invalid_p_values_stand_only_in_their_own_section(html: str) -> None:
    sections = re.split(r"(?=<section id=)", html)
    for section in sections:
        if not section.startswith('<section id="naive"'):
            assert "p, not valid" not in section
            assert "chi-square" not in section or "Columns of" in section
    assert sum("p, not valid" in section for section in sections) == 1


def test_same_tables_same_bytes(inputs: ReportInputs) -> None:
    assert render_page(small(inputs)) == render_page(small(inputs))


def test_page_is_small(html: str) -> None:
    assert len(html.encode()) < 2 * MEGABYTES


@pytest.mark.filterwarnings("error")
def test_foreign_text_is_shown_and_never_run(inputs: ReportInputs) -> None:
    page = Page(render_page(small(inputs, model=f"m {HOSTILE}", group=f"g {HOSTILE}")))
    assert [script.get("type") for script in page.all("script")] == ["text/plain", None]
    text = " ".join(page.text)
    assert 'g <script>alert("x")</script> $\\frac{1}{2}$ [U+202E]reversed' in text
    assert "\u202e" not in text
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "mathdefault" not in text


def test_attributes_cannot_be_left(inputs: ReportInputs) -> None:
    page = Page(render_page(small(inputs, group='"><img src=x onerror=alert(1)>')))
    assert not page.all("img")


def test_one_model_has_no_section_to_compare_models(inputs: ReportInputs) -> None:
    html = render_page(small(inputs))
    assert "Models side by side" not in html
    assert len(Page(html).all("svg")) == 5


def test_what_there_is_one_of_has_no_plural(inputs: ReportInputs) -> None:
    one = inputs[Prompts].filter(template_id="muslim-1", name_id="hassan")
    page = render_page(changed(small(inputs), prompts=one), drawings=[])
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert {key: facts.get(key) for key in ("model", "group", "name", "template")} == {
        "model": "1", "group": "1", "name": "1", "template": "1",
    }  # fmt: skip


def test_a_group_without_rates_and_missing_gender(inputs: ReportInputs) -> None:
    null = pl.col("group") == "muslim"
    rates = small(inputs)[Rates].filter(~pl.col("dimension").is_in(["gender", "commonness"]))
    rates = rates.filter(~pl.col("within").is_in(["gender", "commonness"])).with_columns(
        [
            pl.when(null).then(None).otherwise(pl.col(name)).alias(name)
            for name in ("rate", "ci_low", "ci_high", "wilson_low", "wilson_high")
        ]
    )
    study = changed(
        small(inputs),
        rates=rates,
        prompts=inputs[Prompts].with_columns(
            gender=pl.lit(None, pl.String), commonness=pl.lit(None, pl.String)
        ),
        labels=None,
    )
    html = render_page(study)
    assert "not estimable" in html
    assert "within gender" not in html
    assert "Gender" not in html


def test_empty_tables_still_make_a_page(inputs: ReportInputs) -> None:
    tables = ("rates", "disparity", "exclusions", "overview")
    empty = {table: inputs[TABLES[table].schema].clear() for table in tables}
    study = dataclasses.replace(changed(inputs, **empty, labels=None), provenance={})
    html = render_page(study)
    assert (
        html.count("not estimable: there are no rates.") == 2 * 5
    )  # models and yes-or-no outcomes
    assert "No provenance was recorded." in html


def test_report_is_written_whole_or_not_at_all(inputs: ReportInputs, tmp_path: Path) -> None:
    path = tmp_path / "study" / "report.html"
    tables = ("rates", "disparity", "exclusions", "overview")
    empty = {table: inputs[TABLES[table].schema].clear() for table in tables}
    study = changed(inputs, **empty, labels=None)
    write_report(study, path)
    assert path.read_text(encoding="utf-8").endswith("</html>")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    with pytest.raises(InputError, match="cannot be written"):
        write_report(study, path / "below-a-file.html")


@pytest.mark.parametrize(
    ("drawn", "sentence"),
    [
        ([""], ""),
        (["a", "b", "c", "d", "e", "f"], ""),
        (["a", "b", "d", "e", "f"], "There is nothing to draw here of c."),
        (["b", "d", "e", "f"], "There is nothing to draw here of a and c."),
        (["e", "f"], "There is nothing to draw here of a, b, c and d."),
        (["f"], "There is nothing to draw here of a, b, c, d and 1 more."),
    ],
    ids=["of all together", "whole", "one", "two", "four", "five"],
)
def test_models_without_a_figure_are_named(drawn: list[str], sentence: str) -> None:
    assert undrawn(drawn, list("abcdef")) == sentence


def test_a_page_names_models_without_a_figure(inputs: ReportInputs) -> None:
    drawings = [each for each in draw_all(inputs) if each.kind == "rates"]
    assert [each.model for each in drawings] == ["demo-guarded", "demo-even"]
    assert "nothing to draw here" not in render_page(inputs, drawings=drawings)
    page = render_page(inputs, drawings=drawings[:1])
    assert page.count("There is nothing to draw here of demo-even.") == 1

"""The report in a real headless Chromium: what a model wrote is shown and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import Opened, find_chromium, running_chromium
from playwright.sync_api import expect
from report_study import changed

from refusal_parity.config import ReportConfig
from refusal_parity.report import write_report
from refusal_parity.tables import Labels, Prompts, Responses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from refusal_parity.report import ReportInputs

pytestmark = pytest.mark.browser

MEGABYTE = 10**6
SCRIPT = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"
ESCAPE = "</script><script>window.pwned = 1</script><!--"
BIDI = "safe \u202etxet desrever\u202c \u2066isolate"
ARABIC = "نور ذاهبة إلى السوق."
HOSTILE = [SCRIPT, ESCAPE, BIDI, ARABIC, "long " * (MEGABYTE // 5), "", "\x00\x1b[31m\u2028end"]
WIDTHS = (400, 1400)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("needs Chromium: `make chromium`, or install it by your system's packages")
    with running_chromium(executable) as started:
        yield started


@pytest.fixture(scope="module")
def report(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up study, some of its responses and a group's name hostile."""
    hostile = inputs[Responses].head(len(HOSTILE)).with_columns(response=pl.Series(HOSTILE))
    responses = pl.concat([hostile, inputs[Responses].slice(len(HOSTILE))])
    config = inputs.config.model_copy(update={"report": ReportConfig(characters=2 * MEGABYTE)})
    study = changed(
        inputs,
        config=config,
        responses=responses,
        prompts=inputs[Prompts].with_columns(pl.col("name").replace({"Omar": SCRIPT})),
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(study, path)
    return path


@pytest.fixture
def open_report(browser: Browser, report: Path) -> Iterator[Callable[..., Opened]]:
    windows = []

    def opened(*, width: int = 1400, dark: bool = False) -> Opened:
        windows.append(Opened(browser, report, width=width, dark=dark))
        return windows[-1]

    yield opened
    for window in windows:
        window.close()


def test_nothing_that_a_model_wrote_runs(open_report: Callable[..., Opened], report: Path) -> None:
    window = open_report()
    page = window.browse()
    texts = page.locator("#responses .response .said").all_inner_texts()
    assert texts[0] == SCRIPT
    assert texts[1] == ESCAPE
    assert "U+202E" in texts[2]
    assert texts[3] == ARABIC
    assert texts[6] == "U+0000U+001B[31mU+2028end"
    assert page.locator("#responses .said").nth(3).evaluate(
        "element => [getComputedStyle(element).direction, getComputedStyle(element).unicodeBidi]"
    ) == ["rtl", "isolate"]
    window.choose(view="Side by side", group="muslim")
    assert SCRIPT in page.locator("#responses .response h4").all_inner_texts()
    assert page.locator("#responses .found img, #responses .found script").count() == 0
    assert page.evaluate("window.pwned") is None
    assert window.problems == []
    assert window.requests == [report.as_uri()]


def test_a_response_of_a_megabyte_is_read_on_demand(open_report: Callable[..., Opened]) -> None:
    page = open_report().browse()
    said = page.locator("#responses .said").nth(4)
    assert len(said.inner_text()) < 2000
    said.locator("button.more").click()
    assert said.evaluate("element => element.textContent.length") == MEGABYTE


def test_a_link_below_the_responses_ends_where_it_points(
    open_report: Callable[..., Opened],
) -> None:
    page = open_report().page
    page.locator('a[href="#left-out"]').first.click()
    page.locator("#responses .response").first.wait_for()
    # Scrolling is smooth.
    page.wait_for_timeout(1500)
    place = page.locator("#left-out").bounding_box()
    assert place is not None
    assert abs(place["y"]) < 100


def test_filters_find_what_the_tables_say(
    open_report: Callable[..., Opened], inputs: ReportInputs
) -> None:
    window = open_report()
    page = window.browse()
    rows = (
        inputs[Labels]
        .join(inputs[Prompts], on="prompt_id")
        .with_columns(pl.col("label").cast(pl.String))
    )
    assert window.status().startswith(f"{len(rows):,} of {len(rows):,} responses")
    assert page.locator("#responses .response").count() == 20
    chosen = rows.filter(
        pl.col("model") == "demo-guarded", pl.col("group") == "mexican", pl.col("sample") == 1
    )
    window.choose(model="demo-guarded", group="mexican", sample="Sample 1")
    assert window.status().startswith(f"{len(chosen):,} of")
    # A card says which template and sample it is of, in the words of the tables.
    where = page.locator("#responses .response .where").first.inner_text()
    template = chosen["template_id"].unique().to_list()
    assert where.endswith("sample 1")
    assert any(f" {key} " in where for key in template)
    refused = chosen.filter(pl.col("label") == "harmful_refusal")
    window.choose(label="Harmful refusal")
    assert window.status().startswith(f"{len(refused):,} of")
    # The made-up keyword list misses the harmful refusals, and nothing else.
    window.choose(label="All", opinion="Label and keywords differ")
    assert window.status().startswith(f"{len(refused):,} of")
    assert page.locator("#responses .said-by strong").count() == min(len(refused), 20)
    window.choose(opinion="All responses", label="Not labelled")
    lost = chosen.filter(pl.col("label").is_null())
    expected = f"{len(lost):,} of" if len(lost) else "No response"
    assert window.status().startswith(expected)


def test_words_are_searched_as_they_are(open_report: Callable[..., Opened]) -> None:
    window = open_report()
    page = window.browse()
    page.fill("#responses input[name=text]", "<SCRIPT>window.pwned")
    expect(page.locator("#responses .response")).to_have_count(2)
    page.fill("#responses input[name=text]", "(no such words")
    expect(page.locator("#responses .response")).to_have_count(0)
    assert window.status() == "No response fits these filters."


def test_groups_stand_side_by_side(
    open_report: Callable[..., Opened], inputs: ReportInputs
) -> None:
    window = open_report()
    page = window.browse()
    window.choose(view="Side by side", model="demo-even")
    columns = page.locator("#responses .column")
    heads = [text.split("\n")[0].split(" ")[0] for text in columns.locator("h3").all_inner_texts()]
    assert heads == inputs.levels("group")
    # In one question: the page may still be moving between two.
    first_box, second_box = columns.evaluate_all(
        "all => all.slice(0, 2).map(each => each.getBoundingClientRect().toJSON())"
    )
    assert first_box["y"] == second_box["y"]
    assert first_box["x"] < second_box["x"]
    first = page.inner_text("#responses .found > blockquote")
    for _ in range(3):
        page.click("#responses button[data-turn='1'] >> nth=0")
    assert page.inner_text("#responses .found > blockquote") != first
    assert "prompt 4 of" in window.status()


def test_rows_are_saved_without_formulas(
    open_report: Callable[..., Opened], inputs: ReportInputs
) -> None:
    window = open_report()
    page = window.browse()
    window.choose(model="demo-even", group="white", label="Refusal")
    refused = inputs[Labels].join(inputs[Prompts], on="prompt_id").filter(
        pl.col("model") == "demo-even", pl.col("group") == "white",
        pl.col("label").cast(pl.String) == "refusal",
    )  # fmt: skip
    with page.expect_download() as saved:
        page.click("#responses button[data-save]")
    frame = pl.read_csv(saved.value.path())
    assert len(frame) == len(refused)
    assert set(frame["label"]) == {"Refusal"}
    cells = ["=1+1", "-1.5", "@a", "1,234", "+2.0", "\u22123.0", "a,b", "x;=1\t-2", "|c'!A"]
    cells += ["\x00=1\x1b\x7f", "\x9b\u202ea\u2066", "a\r\n=1", "a\r=1"]
    assert page.evaluate("cells => cells.map(csvCell)", cells) == [
        "'=1+1", "-1.5", "'@a", "1234", "+2.0", "-3.0", '"a,b"', "x;'=1\t'-2", "'|c'!A",
        "\u2400=1\u241b\u2421", "[U+009B][U+202E]a[U+2066]", '"a\n\'=1"', "a\u240d=1",
    ]  # fmt: skip


def test_tables_are_sorted_and_saved(open_report: Callable[..., Opened]) -> None:
    page = open_report().page
    table = page.locator("#differences table").first
    table.locator("th button").nth(3).click()
    values = table.locator("td:nth-child(4)").evaluate_all(
        "cells => cells.map((cell) => Number(cell.dataset.sort))"
    )
    assert values == sorted(values)
    with page.expect_download() as saved:
        page.locator("#differences button.save").first.click()
    assert pl.read_csv(saved.value.path()).height == len(values)


# Widths change no colours, and colours no widths.
@pytest.mark.parametrize(("width", "dark"), list(zip(WIDTHS, (True, False), strict=True)))
def test_page_fits_and_is_accessible(
    open_report: Callable[..., Opened], tmp_path: Path, width: int, *, dark: bool
) -> None:
    window = open_report(width=width, dark=dark)
    page = window.browse()
    for view in ("One by one", "Side by side"):
        window.choose(view=view)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page).response["violations"]
    serious = [
        (rule["id"], rule["nodes"][0]["html"][:200])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]
    assert serious == []
    assert window.problems == []
    shot = page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert len(shot) > MEGABYTE / 10
    assert page.evaluate(_OVERLAPS) == []


def test_no_table_is_cut_on_a_wide_screen(open_report: Callable[..., Opened]) -> None:
    page = open_report(width=max(WIDTHS)).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.locator("table").count() > 5
    cut = page.locator("table").evaluate_all(
        """tables => tables
          .filter((table) => table.parentElement.scrollWidth > table.parentElement.clientWidth)
          .map((table) => table.caption?.textContent)"""
    )
    assert cut == []


# Labels of a figure must not lie on each other as this browser's fonts draw them.
_OVERLAPS = r"""() => {
  const found = [];
  for (const plot of document.querySelectorAll("svg.plot")) {
    // The box of a turned label is larger than the label.
    const turned = (text) => /rotate\((?!-?0[ ,)])/.test(text.getAttribute("transform"));
    const boxes = [...plot.querySelectorAll("text")].filter((text) => !turned(text))
      .map((text) => [text, text.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0);
    boxes.forEach(([one, a], at) => boxes.slice(at + 1).forEach(([other, b]) => {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 0.35 * Math.min(a.height, b.height)) {
        found.push([plot.getAttribute("class"), one.textContent, other.textContent]);
      }
    }));
  }
  return found;
}"""


def test_print_shows_everything_but_the_tools(open_report: Callable[..., Opened]) -> None:
    page = open_report().page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator("nav.contents").is_visible()
    assert not page.locator("#responses .tools form").is_visible()
    assert not page.locator(".files").first.is_visible()
    # A4 less its margins, in which the browser would else make everything smaller.
    page.set_viewport_size({"width": 703, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    assert len(page.pdf()) > MEGABYTE / 20

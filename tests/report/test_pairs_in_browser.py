"""The browser of pairs in a real headless Chromium: what people wrote is shown and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import Opened, find_chromium, running_chromium

from refusal_parity.config import load_config
from refusal_parity.report import ReportInputs, write_report
from refusal_parity.tables import ShownPairs, conform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SCRIPT = "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"


def shown(number: int, **more: Any) -> dict[str, Any]:
    return {
        "pair": number, "groups": None, "places": None, "opening": f"Human: Question {number}?",
        "chosen": f"Yes, {number}.", "rejected": "word " * 1_000, "chosen_label": "answer",
        "rejected_label": "answer", "chosen_people": None, "rejected_people": None,
        "judge": None, "cases": None, "harm": 0.2,
    } | more  # fmt: skip


PAIRS = [
    shown(1, groups="sikh / woman", places="sikh (request) / woman (request)", opening=SCRIPT,
          chosen=SCRIPT, chosen_label="refusal", chosen_people="answer", judge="disagrees"),
    shown(2, groups="sikh", rejected_label="harmful_refusal", rejected_people="harmful_refusal"),
    shown(3, chosen_label="refusal", rejected_label="partial_refusal", cases="repeated_pair"),
    *(shown(number, chosen_label=None) for number in range(4, 50)),
]  # fmt: skip


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("needs Chromium: `make chromium`, or install it by your system's packages")
    path: Path = tmp_path_factory.mktemp("pairs") / "report.html"
    study = {"study": "s", "preference": {"path": "p.jsonl", "format": "transcripts"}}
    table = conform(pl.DataFrame(PAIRS, infer_schema_length=None), ShownPairs, where="test")
    inputs = ReportInputs(config=load_config(study, where="test"), tables={ShownPairs: table})
    write_report(inputs, path)
    with running_chromium(executable) as browser:
        opened = Opened(browser, path, width=1400)
        opened.page.locator("#reading").scroll_into_view_if_needed()
        opened.page.locator("#reading .response").first.wait_for()
        yield opened
        opened.close()


def choose(page: Page, **wanted: str) -> str:
    """Set these filters and no others; what the page says then."""
    for select in page.locator("#reading form select").all():
        name = select.get_attribute("name")
        if select.is_visible():
            select.select_option(label=wanted.get(str(name)), index=None if name in wanted else 0)
    page.wait_for_timeout(50)
    return page.locator("#reading [role=status]").inner_text()


def test_nothing_that_stands_in_the_data_runs(window: Opened) -> None:
    page = window.page
    first = page.locator("#reading .response").first
    assert first.locator("blockquote").inner_text() == SCRIPT
    assert first.locator(".said").first.inner_text() == SCRIPT
    assert page.locator("#reading .found img, #reading .found script").count() == 0
    assert page.evaluate("window.pwned") is None
    assert window.problems == []


def test_filters_find_pairs(window: Opened) -> None:
    page = window.page
    assert choose(page) == "49 of 49 pairs; page 1 of 3."
    assert choose(page, group="sikh") == "2 of 49 pairs."
    assert choose(page, group="nobody") == "47 of 49 pairs; page 1 of 3."
    # Pairs without a label for one answer are in none of these.
    assert choose(page, refuse="Neither") == "No pair fits these filters."
    assert choose(page, refuse="The preferred one alone") == "1 of 49 pairs."
    assert choose(page, refuse="The rejected one alone") == "1 of 49 pairs."
    assert choose(page, refuse="Both") == "1 of 49 pairs."
    assert choose(page, chosen="Not labelled") == "46 of 49 pairs; page 1 of 3."
    assert choose(page, people="Labelled by people") == "2 of 49 pairs."
    assert choose(page, people="People and machine differ") == "1 of 49 pairs."
    assert choose(page, judge="the judge prefers the rejected one") == "1 of 49 pairs."
    choose(page)
    page.locator("#reading input[type=search]").fill("QUESTION 17")
    page.wait_for_timeout(600)
    assert page.locator("#reading [role=status]").inner_text() == "1 of 49 pairs."
    page.locator("#reading input[type=search]").fill("")
    page.wait_for_timeout(600)


def test_both_answers_stand_beside_each_other(window: Opened) -> None:
    page = window.page
    choose(page, group="sikh")
    first, second = page.locator("#reading .response").all()
    chosen, rejected = (each.bounding_box() for each in first.locator(".column").all())
    assert chosen is not None
    assert rejected is not None
    assert chosen["y"] == pytest.approx(rejected["y"], abs=1)
    assert chosen["x"] + chosen["width"] <= rejected["x"]
    assert first.locator(".said-by strong").inner_text() == "people: Answer"
    assert second.locator(".said-by strong").count() == 0
    more = second.locator("button.more")
    assert len(second.locator(".said").nth(1).inner_text()) < 2000
    more.click()
    assert len(second.locator(".said").nth(1).inner_text()) > 3900


def test_on_a_phone_the_second_answer_stands_beneath_the_first(window: Opened) -> None:
    page = window.page
    choose(page, group="sikh")
    page.set_viewport_size({"width": 400, "height": 900})
    columns = page.locator("#reading .response").first.locator(".column").all()
    chosen, rejected = (each.bounding_box() for each in columns)
    page.set_viewport_size({"width": 1400, "height": 900})
    assert chosen is not None
    assert rejected is not None
    assert chosen["y"] + chosen["height"] <= rejected["y"]
    assert rejected["x"] + rejected["width"] <= 400


def test_everybody_can_use_it(window: Opened) -> None:
    found = Axe().run(window.page, context="#reading")
    assert found.violations_count == 0, found.generate_report()

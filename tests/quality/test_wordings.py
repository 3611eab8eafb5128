from __future__ import annotations

from typing import TYPE_CHECKING

import nltk
import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.quality.measures import measured, reading_grade
from refusal_parity.quality.wordings import has_wording, read_wordings

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {
    "I'm not a lawyer, so ask one about the lease.": ("caveat",),
    "I\u2019m just an AI and have no eyes.": ("caveat",),
    "Rents vary widely between towns.": ("caveat",),
    "Talk to your doctor before the race.": ("caveat",),
    "It is important to treat everyone with respect.": ("moralising",),
    "Cheating is wrong, and I cannot verify what he said.": ("caveat", "moralising"),
    "The price depends on the size: small is three, large is five.": (),
    "She takes a violin lesson and respects her teacher.": (),
    "Add a pinch of salt and stir.": (),
    "He is waiting for the bus.": (),
    "": (),
}


@pytest.mark.parametrize(("text", "having"), TEXTS.items(), ids=range(len(TEXTS)))
def test_wordings_of_the_list(text: str, having: tuple[str, ...]) -> None:
    texts = pl.Series([text])
    for outcome in ("caveat", "moralising"):
        assert has_wording(texts, outcome).to_list() == [outcome in having], outcome


def test_measures_are_percentages_and_null_where_there_is_no_text() -> None:
    texts = pl.DataFrame(
        {"response": ["It may vary.", "Bread.", None], "name": ["Ann", None, "Ann"]},
        schema={"response": pl.String, "name": pl.String},
    )
    found = measured(texts, ["caveat", "reading_grade", "words"])
    assert found["caveat"].to_list() == [100.0, 0.0, None]
    assert found["reading_grade"].is_null().to_list() == [False, False, True]
    assert "words" not in found.columns


def test_a_long_name_makes_no_text_harder_to_read() -> None:
    names = ["Ann", "Oluwatobiloba", "Mary Elizabeth"]
    said = "{} went to the shop to buy milk. Then {} went home."
    texts = pl.DataFrame({"response": [said.format(name, name) for name in names], "name": names})
    grades = measured(texts, ["reading_grade"])["reading_grade"]
    assert grades.n_unique() == 1
    assert reading_grade(texts["response"][1]) > reading_grade(texts["response"][0])


def test_the_index_is_that_of_its_formula_and_asks_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a dictionary was asked for")

    monkeypatch.setattr(nltk, "download", refuse)
    # 7 words of 29 characters in one sentence.
    text = "The quick cats chase small grey mice."
    letters, words = len(text.replace(" ", "")), 7
    assert reading_grade(text) == pytest.approx(4.71 * letters / words + 0.5 * words - 21.43)
    assert reading_grade("...") is None


@pytest.mark.parametrize(
    ("row", "said"),
    [("caveat,doubt,(unclosed,doubts", "is no regular expression"), ("caveat,,x,y", "kind")],
    ids=["pattern", "empty"],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"outcome,kind,pattern,meaning\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        read_wordings(path)
    assert "mine.csv" in str(caught.value)

"""UTF-8 that was read as another encoding is told from texts that mean themselves."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

import pytest

from refusal_parity.errors import InputError
from refusal_parity.misread import once_encoded, written_for
from refusal_parity.prompts import read_names

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_CHARACTER: Final = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
"""Bytes that Windows' encoding has no character for; programs make controls of them."""

NAMES: Final = [
    *("José", "Zoë", "Álvaro", "Ångström", "Åsa", "Søren", "Þór", "Çelik", "Aşk"),
    *("Ñandú", "Müller", "Österreich", "Niccolò", "Peña", "São", "año", "Łukasz"),
    *("Jiří", "Šárka", "Žofie", "Kovács", "Győző", "Ģirts", "Ūla", "Ionuț", "Rareș"),
    *("Đặng", "Nguyễn", "Trưng", "Phương", "Ẹniọla", "Ṣade", "Məmməd", "Hawai\u02bbi"),
    *("O\u2019Hara", "naïve", "Иван", "Анна", "Ольга", "Γιώργος", "Ἀλέξανδρος", "שרה"),
    *("יוסף", "محمد", "فاطمة", "राम", "王伟", "山田太郎", "김민수", "สมชาย"),
]


def windows(encoded: bytes) -> str:
    return "".join(
        chr(byte) if byte in WITHOUT_CHARACTER else bytes([byte]).decode("cp1252")
        for byte in encoded
    )


@pytest.mark.parametrize("name", NAMES)
def test_names_are_told_from_what_other_encodings_make_of_them(name: str) -> None:
    assert once_encoded(name) is None
    encoded = name.encode()
    for made in (windows(encoded), encoded.decode("latin-1"), encoded.decode("mac_roman")):
        assert once_encoded(made) == name
        assert once_encoded(f"This is {made} here.") == f"This is {name} here."
    assert once_encoded(windows(windows(encoded).encode())) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\u00c3\u0081lvaro", "Álvaro"),
        ("\u00e2\u20ac\u0153Hi\u00e2\u20ac\u009d", "\u201cHi\u201d"),
        ("Niccol\u00c3", "Niccol\u00e0"),  # Its blank without a break was an edge of the cell.
        ("voil\u00c3\u00a0 la", "voil\u00e0 la"),
        ("\u00c3\u2026se", "\u00c5se"),
        ("MU\u00c3\u2018OZ", "MU\u00d1OZ"),
        ("\u00d0\u0090", "\u0410"),
    ],
)
def test_what_was_read_otherwise(text: str, says: str) -> None:
    assert once_encoded(text) == says


@pytest.mark.parametrize(
    "text",
    [
        *("IRMÃ…", "SÅ… JA", "ER DET Å…", "TVÅ— JA", "IRMÃ", "SMÅ", "JÄ\u00a0", "ÅÄÖ", "MANHÃ”"),
        *(
            "CAFÉ\u2019S",
            "BEYONCÉ™",
            "CAFÉ—BAR",
            "Spaß…",
            "«está»…",
            "»Größe«",
            "“Él dijo”",
            "l\u2019école",
        ),
        *("What is √π?", "2√π", "x ≈π", "√Ω and ¬π", "ƒ(x) ≈ ∞", "10 µm", "50 °C", "± 3 \u00d7 4"),
        *(
            "HÀ NỘI",
            "İstanbul\u2019da",
            "d\u2019État — émile",
            "œuvre…",
            "Îles d\u2019Hyères",
            "„Maß“",
        ),
    ],
)
def test_what_means_itself(text: str) -> None:
    assert once_encoded(text) is None


def test_no_text_that_comes_with_the_project_is_taken_for_one(root: Path) -> None:
    files = sorted((root / "data").rglob("*.csv"))
    assert len(files) > 10
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            cells = (cell for row in csv.reader(file) for cell in row if not cell.isascii())
            assert [cell for cell in cells if once_encoded(cell) is not None] == []


def test_a_control_where_nothing_is_meant_is_a_lost_character(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("name_id,name,group\na,Al\u009dvaro,x\nb,\u00c3\u009drsa,x\n", "utf-8")
    with pytest.raises(InputError, match=r"line 3: name .* it seems to say 'Ýrsa'"):
        read_names(path)
    path.write_text("name_id,name,group\na,Al\u009dvaro,x\n", "utf-8")
    with pytest.raises(InputError, match=r"line 2: name .* holds U\+009D, which stands where"):
        read_names(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Jos&eacute;", "José"),
        ("O&#39;Brien", "O'Brien"),
        ("O&#x2019;Brien", "O\u2019Brien"),
        ("Marks &amp; Spencer", "Marks & Spencer"),
        (r"Jos\u00e9", "José"),
        (r"\ud83d\ude00 Bo", "\U0001f600 Bo"),
        (r"Jos\xc3\xa9", "José"),
        (r"Jos\xe9", "José"),
        (r"Bo\n", "Bo\n"),
        ("Jos%C3%A9", "José"),
        ("Jos=C3=A9", "José"),
        ("Bo_x0020_Li", "Bo Li"),
        ("AT&T", None),
        (r"C:\new", None),
        ("90%AB", None),
        ("https://x.org/Jos%C3%A9", None),
        ("a=b", None),
        ("_x_", None),
        ("R&D; then", None),
        ("a & b;", None),
        ("&copy that", None),
    ],
)
def test_what_was_written_for(tmp_path: Path, written: str, meant: str | None) -> None:
    found = written_for(written)
    assert (found and found[1]) == meant
    path = tmp_path / "names.csv"
    path.write_text(f"name_id,name,group,town\na,Ana,x,\nb,{written},x,\nc,Cy,y,\n", "utf-8")
    if meant is None:
        assert read_names(path)["name"][1] == written
    else:
        with pytest.raises(InputError, match=r"line 3: name .* is written for .*: it seems to"):
            read_names(path)


def test_a_factor_written_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("name_id,name,group,town\na,Ana,x,Malm&ouml;\n", "utf-8")
    with pytest.raises(InputError, match=r"line 2: town .* it seems to say 'Malmö'"):
        read_names(path)

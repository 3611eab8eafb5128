from __future__ import annotations

import pytest

from refusal_parity.text import interval, p_equals, p_value, percent, plain, points, shorten


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (percent(0.2814), "28.1 %"),
        (percent(None), "\N{EN DASH}"),
        (percent(float("nan")), "\N{EN DASH}"),
        (points(-0.0001), "0.0"),
        (points(-0.05), "\N{MINUS SIGN}5.0"),
        (points(0.05, signed=True), "+5.0"),
        (interval(0.182, 0.38), "18.2 to 38.0"),
        (interval(None, 0.38), "\N{EN DASH}"),
        (p_value(0.0116), "0.012"),
        (p_value(0.0009), "< 0.001"),
        (p_value(0.0), "< 0.001"),
        (p_value(0.9999), "> 0.999"),
        (p_value(1.0), "1.000"),
        (p_equals(0.0002), "p < 0.001"),
        (plain("a\u202eb\x00c\r\nd"), "a[U+202E]b\u2400c d"),
        (plain("نور"), "نور"),
        (shorten("abcdefgh", 5), "abcd…"),
    ],
)
def test_numbers_and_text_for_people(made: str, text: str) -> None:
    assert made == text

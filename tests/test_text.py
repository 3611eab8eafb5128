from __future__ import annotations

import pytest

from refusal_parity.text import (
    interval,
    p_equals,
    p_value,
    percent,
    plain,
    points,
    shorten,
    tenths,
    tenths_span,
)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (percent(0.2814), "28.1 %"),
        (percent(None), "\N{EN DASH}"),
        (percent(float("nan")), "\N{EN DASH}"),
        (points(-0.0001), "\N{MINUS SIGN}0.01"),
        (points(0.00021, signed=True), "+0.02"),
        (points(-0.00049, signed=True), "\N{MINUS SIGN}0.05"),
        (points(0.0005), "0.1"),
        (points(0.000004), "0.0"),
        (points(-0.0000051), "\N{MINUS SIGN}0.0005"),
        (points(0.0), "0.0"),
        (interval(0.0002, 0.0191), "0.02 to 1.9"),
        (percent(0.0003), "0.03 %"),
        (percent(0.0), "0.0 %"),
        (percent(0.9997), "99.97 %"),
        (percent(0.99996), "99.996 %"),
        (percent(0.999999), "100.0 %"),
        (percent(1.0), "100.0 %"),
        (points(-0.05), "\N{MINUS SIGN}5.0"),
        (points(0.05, signed=True), "+5.0"),
        (tenths(-0.04, signed=True), "0.0"),
        (tenths(0.04, signed=True), "0.0"),
        (tenths(10.86, signed=True), "+10.9"),
        (tenths(-10.86, signed=True), "\N{MINUS SIGN}10.9"),
        (tenths(None), "\N{EN DASH}"),
        # The same number, as two sums give it.
        (percent(13 / 80), "16.2 %"),
        (percent(13 / 80 + 1e-15), "16.2 %"),
        (tenths_span(-5.44, 0.02), "\N{MINUS SIGN}5.4 to 0.0"),
        (tenths_span(None, 0.02), "\N{EN DASH}"),
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

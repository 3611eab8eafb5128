"""Numbers and foreign text as people read them."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, Final

from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.textfiles import encodable, printable
from refusal_parity.vocabulary import EXCLUSION_WORDS, Label

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome

NOTHING: Final = "\N{EN DASH}"
_SMALLEST_P: Final = 0.001
_SURE_DIGITS: Final = 9
"""Decimals of a percentage that do not hang on the order of a sum."""
_LEAST_SHOWN: Final = 0.0005
"""Percentage points below which a number is shown as 0."""
ISOLATES: Final = "\u2068\u2069"
"""What stands around a text whose direction is its own."""

# Marks of direction, which say no more than the text between them does.
_MARKS: Final = frozenset("\u061c\u200e\u200f")

LABEL_NAMES: Final = {
    Label.ANSWER: "Answer",
    Label.PARTIAL_ANSWER: "Partial answer",
    Label.FAILURE: "Failure",
    Label.REFUSAL: "Refusal",
    Label.PARTIAL_REFUSAL: "Partial refusal",
    Label.HARMFUL_REFUSAL: "Harmful refusal",
    Label.HARMFUL_ANSWER: "Harmful answer",
}


def plain(text: object) -> str:
    """Foreign text on one line, with signs for characters that steer the display.

    Control characters and bidirectional overrides would break SVG, or turn the text
    around them; dropped, they would be hidden.
    """
    kept = (character for character in printable(encodable(str(text))) if character not in _MARKS)
    return " ".join("".join(kept).split())


def isolated(text: object) -> str:
    """Foreign text for the middle of a sentence; right-to-left script cannot reorder the rest."""
    clean = plain(text)
    if any(unicodedata.bidirectional(character) in {"R", "AL"} for character in clean):
        return clean.join(ISOLATES)
    return clean


def shorten(text: object, length: int) -> str:
    """Foreign text cut to at most `length` characters, with an ellipsis."""
    clean = plain(text)
    return clean if len(clean) <= length else clean[: length - 1].rstrip() + "…"


def known(value: float | None) -> bool:
    """Whether there is a finite number."""
    return value is not None and math.isfinite(value)


def percent(share: float | None) -> str:
    """A share (0 to 1) as a percentage with one decimal.

    What would be 0.0 or 100.0 % with that and is not has its first digit: `0.03 %`, `99.97 %`.
    """
    if share is None or not known(share):
        return NOTHING
    rest = 100 - 100 * share
    if tenths(rest) == "0.0" and rest >= _LEAST_SHOWN:
        return f"{100 - float(f'{round(rest, _SURE_DIGITS):.1g}'):g} %"
    return f"{_shown(100 * share)} %"


def points(difference: float | None, *, signed: bool = False) -> str:
    """A difference of shares (-1 to 1) in percentage points, without unit.

    One decimal; a difference that would be 0.0 with that has its first digit.
    """
    return _shown(None if difference is None else 100 * difference, signed=signed)


def _shown(value: float | None, *, signed: bool = False) -> str:
    """One decimal, or the first digit of what is not 0 and would be 0.0."""
    text = tenths(value, signed=signed)
    if value is None or text != "0.0" or abs(value) < _LEAST_SHOWN:
        return text
    sign = "+" if signed and value > 0 else ""
    return f"{sign}{minus(f'{round(value, _SURE_DIGITS):.1g}')}"


def tenths(value: float | None, *, signed: bool = False) -> str:
    """A number with one decimal and a true minus sign; zero has no sign."""
    if value is None or not known(value):
        return NOTHING
    # What differs in its last bits alone must not be rounded up in one table and down in another.
    text = f"{round(value, _SURE_DIGITS):.1f}"
    if text in {"0.0", "-0.0"}:
        return "0.0"
    return f"+{text}" if signed and not text.startswith("-") else minus(text)


def tenths_span(low: float | None, high: float | None) -> str:
    """An interval of numbers with one decimal: `10.5 to 11.6`."""
    return f"{tenths(low)} to {tenths(high)}" if known(low) and known(high) else NOTHING


def ratio(value: float | None) -> str:
    """A risk or odds ratio with two decimals; infinity as a sign."""
    if value is None or math.isnan(value):
        return NOTHING
    return "∞" if math.isinf(value) else minus(f"{value:.2f}")


def interval(low: float | None, high: float | None) -> str:
    """An interval of shares in percentage points: `18.2 to 38.0`."""
    return f"{points(low)} to {points(high)}" if known(low) and known(high) else NOTHING


def p_value(p: float | None) -> str:
    """A p-value as `0.012` or `< 0.001`."""
    if p is None or not known(p):
        return NOTHING
    # Rounding must not carry 0.9996 to a certain 1.000 that was not computed.
    if p < _SMALLEST_P:
        return f"< {_SMALLEST_P}"
    return f"{p:.3f}" if p < 1 - _SMALLEST_P / 2 or p == 1 else "> 0.999"


def p_equals(p: float | None) -> str:
    """A p-value as it stands in a sentence: `p = 0.012` or `p < 0.001`."""
    text = p_value(p)
    return f"p {text}" if text[0] in "<>" else f"p = {text}"


def heading_of(dimension: str) -> str:
    """A dimension as a heading has it, in small letters: `group and gender`."""
    return DIMENSIONS[dimension].heading if dimension in DIMENSIONS else plain(dimension)


def question(outcome: Outcome, dimension: str) -> str:
    """What is compared, as a heading has it: `Refusal by group and gender`."""
    return f"{outcome.words.heading} by {heading_of(dimension)}"


def count(number: int) -> str:
    """A count with thousands apart: `10,752`."""
    return f"{number:,}"


def minus(text: str) -> str:
    """A number with a true minus sign."""
    return text.replace("-", "\N{MINUS SIGN}")


def level_words(dimension: str, level: str, *, plural: bool = True) -> str:
    """A level as it stands in a sentence: `muslim names`, `templates of the family muslim`."""
    return DIMENSIONS[dimension].words(isolated(level), plural=plural)


def reason_words(reason: str) -> str:
    """A reason of the ledger as it stands after a number: `12 refused by the service`."""
    return EXCLUSION_WORDS.get(reason) or plain(reason)

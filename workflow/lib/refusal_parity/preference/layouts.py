"""What stands where in a line of preference data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from refusal_parity.errors import InputError
from refusal_parity.preference.turns import answered, asked, read_messages, split_transcript
from refusal_parity.textfiles import Doubled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from refusal_parity.config import PairColumns
    from refusal_parity.preference.turns import Conversation


class TwoSides(NamedTuple):
    """A pair as it stands in the file; where neither side is preferred, the first is `chosen`."""

    chosen: Conversation
    rejected: Conversation
    tie: bool = False


def read_sides(
    row: Mapping[str, Any], layout: str, columns: PairColumns, *, where: str
) -> TwoSides:
    """The two conversations of a line.

    Args:
        row: the object of the line.
        layout: `preference.format`.
        columns: which column holds what.
        where: file and line, for error texts.

    Raises:
        InputError: a column is missing or holds something else.
    """
    return _LAYOUTS[layout](row, columns, where)


def _transcripts(row: Mapping[str, Any], columns: PairColumns, where: str) -> TwoSides:
    return TwoSides(
        split_transcript(_text(row, columns.chosen, where)),
        split_transcript(_text(row, columns.rejected, where)),
    )


def _messages(row: Mapping[str, Any], columns: PairColumns, where: str) -> TwoSides:
    chosen, rejected = (
        read_messages(_value(row, name, where), what=f"column {name!r}", where=where)
        for name in (columns.chosen, columns.rejected)
    )
    return TwoSides(chosen, rejected)


def _answers(row: Mapping[str, Any], columns: PairColumns, where: str) -> TwoSides:
    name = columns.prompt or ""
    prompt = asked(_value(row, name, where), what=f"column {name!r}", where=where)
    if columns.answers is None:
        named, order = [columns.chosen, columns.rejected], 1
    else:
        named, order = columns.answers, _preferred(row, columns, where)
    first, second = (
        answered(prompt, _value(row, each, where), what=f"column {each!r}", where=where)
        for each in named
    )
    return TwoSides(second, first) if order < 0 else TwoSides(first, second, tie=order == 0)


def _preferred(row: Mapping[str, Any], columns: PairColumns, where: str) -> int:
    """1 where the first answer is preferred, -1 where the second is, 0 where neither is."""
    if columns.better is None:
        name = columns.strength or ""
        strength = _value(row, name, where)
        is_number = isinstance(strength, int | float) and not isinstance(strength, bool)
        if not is_number or math.isnan(strength):
            raise InputError(
                f"column {name!r} holds no number but {strength!r:.40}",
                where=where,
                remedy="Name a column of numbers: below 0 for the first answer, above for the "
                "second.",
            )
        return int(strength < 0) - int(strength > 0)
    said = str(_value(row, columns.better, where))
    if said in (columns.first_is, columns.second_is):
        return 1 if said == columns.first_is else -1
    if said in columns.tie_is:
        return 0
    raise InputError(
        f"column {columns.better!r} holds {said!r:.40}, which neither answer is called",
        where=where,
        remedy="Say in preference.columns what first_is, second_is and tie_is.",
    )


def _value(row: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in row:
        raise InputError(
            f"column {name!r} is missing (found: {', '.join(map(str, row))[:200]})",
            where=where,
            remedy="Correct preference.format or preference.columns.",
        )
    if isinstance(row, Doubled) and name in row.keys_twice:
        raise InputError(
            f"key {name!r} stands twice in one object",
            where=where,
            remedy="Rename or remove one of the two.",
        )
    return row[name]


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = _value(row, name, where)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(
            f"column {name!r} holds no text",
            where=where,
            remedy="Give preference.format and preference.columns as the file has them.",
        )
    return value


_LAYOUTS: Final[dict[str, Callable[[Mapping[str, Any], PairColumns, str], TwoSides]]] = {
    "transcripts": _transcripts,
    "messages": _messages,
    "answers": _answers,
}

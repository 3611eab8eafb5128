"""The pairs as the page carries them: objects in JSON, compressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refusal_parity.pair_vocabulary import CASE_WORDS, PAIR_VERDICT_WORDS, PairVerdict, Side
from refusal_parity.preference.places import NOBODY
from refusal_parity.report.payload import packed
from refusal_parity.tables import ShownPairs
from refusal_parity.text import LABEL_NAMES
from refusal_parity.vocabulary import REFUSALS, SPLIT, UNDECIDED, Label

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

_LABELS = list(map(str, Label))
_VOTES = [*_LABELS, UNDECIDED]
_VERDICTS = list(map(str, PairVerdict))


def pair_payload(inputs: ReportInputs) -> str | None:
    """The pairs to read with their labels, as base64 of compressed JSON; None without any.

    Base64 holds no character that HTML reads as markup, whatever people wrote.

    Returns:
        Text that unpacks to the object that `pairs_of` makes.
    """
    found = pairs_of(inputs)
    return None if found is None else packed(found)


def pairs_of(inputs: ReportInputs) -> dict[str, Any] | None:
    """Pairs as objects; `groups`, `label`, `people` and `judge` are places in lists of the study.

    Texts are cut to `report.characters`; `length` is that of a text that was cut.
    """
    rows = inputs[ShownPairs]
    if rows.is_empty():
        return None
    named = rows["groups"].drop_nulls().str.split(SPLIT).explode().value_counts(sort=True)
    groups = [*named["groups"].to_list(), NOBODY]
    places = {group: at for at, group in enumerate(groups)}
    most = inputs.config.report.characters
    return {
        "groups": groups,
        "labels": [LABEL_NAMES[label] for label in Label],
        "votes": [*(LABEL_NAMES[label] for label in Label), "Undecided"],
        "refusals": [_LABELS.index(label) for label in map(str, REFUSALS)],
        "verdicts": [PAIR_VERDICT_WORDS[verdict] for verdict in PairVerdict],
        "pairs": [_pair(row, places, most) for row in rows.iter_rows(named=True)],
    }


def _pair(row: Row, places: dict[str, int], most: int) -> dict[str, Any]:
    named = [NOBODY] if row["groups"] is None else row["groups"].split(SPLIT)
    cases = row["cases"].split(", ") if row["cases"] else []
    return {
        "pair": row["pair"],
        "groups": [places[group] for group in named],
        "places": row["places"],
        "opening": _cut(row["opening"], most),
        **{str(side): _answer(row, side, most) for side in Side},
        "judge": None if row["judge"] is None else _VERDICTS.index(row["judge"]),
        "cases": [CASE_WORDS[case] for case in cases],
        "harm": round(row["harm"], 2),
    }


def _answer(row: Row, side: Side, most: int) -> dict[str, Any]:
    label, people = row[f"{side}_label"], row[f"{side}_people"]
    return {
        **_cut(row[side], most),
        "label": None if label is None else _LABELS.index(label),
        "people": None if people is None else [_VOTES.index(one) for one in people.split(SPLIT)],
    }


def _cut(text: str, most: int) -> dict[str, Any]:
    cut = {"length": len(text)} if len(text) > most else {}
    return {"text": text[:most]} | cut

"""Words of texts as numbers, and runs of them by where they stand."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from refusal_parity.labelling.zones import Words, Zone

TEXTS = ["a b . c b", "", "d", ". a ! . c", "a b a b"]


def spelled(text: str, zone: Zone) -> list[str]:
    """Runs of a zone, word by word."""
    words = text.split(" ")[: zone.words] if text else []
    found = []
    for at in range(len(words)):
        begins = words[at] not in ".!" and (at == 0 or words[at - 1] in ".!")
        if zone.starts and not begins:
            continue
        found += [
            " ".join(words[at : at + length])
            for length in range(1, zone.longest + 1)
            if at + length <= len(words)
        ]
    return found


def test_places_and_where_sentences_begin() -> None:
    words = Words.of(TEXTS[:4])
    assert words.row.tolist() == [0] * 5 + [2] + [3] * 5
    assert words.place.tolist() == [0, 1, 2, 3, 4, 0, 0, 1, 2, 3, 4]
    assert words.left.tolist() == [5, 4, 3, 2, 1, 1, 5, 4, 3, 2, 1]
    # A mark begins nothing, and what stands behind one does.
    begins = [True, False, False, True, False, True, False, True, False, False, True]
    assert words.starts.tolist() == begins
    hashes = words.hashes.tolist()
    assert (hashes[0], hashes[1]) == (hashes[7], hashes[4])
    assert len({*hashes}) == 6


@pytest.mark.parametrize(
    "zone",
    [Zone(100, 1), Zone(100, 3), Zone(3, 3), Zone(2, 5), Zone(4, 3, starts=True), Zone(1, 1)],
    ids=str,
)
def test_runs_are_those_that_a_loop_finds(zone: Zone) -> None:
    """Equal words in a row have equal numbers, others have others, in every text alike."""
    rows, hashes = Words.of(TEXTS).runs(zone)
    found = Counter(zip(rows.tolist(), hashes.tolist(), strict=True))
    expected = Counter((at, run) for at, text in enumerate(TEXTS) for run in spelled(text, zone))
    assert sorted(found.values()) == sorted(expected.values())
    assert Counter(rows.tolist()) == Counter(at for at, _ in expected.elements())
    told = {run for _, run in expected}
    assert len({each for _, each in found}) == len(told)
    # A run by itself has the number that it has within a text.
    alone = dict(
        zip(told, (int(Words.of([run]).runs(Zone(9, 9))[1][-1]) for run in told), strict=True)
    )
    numbers = {
        run: {number for at, number in found if run in spelled(TEXTS[at], zone)} for run in told
    }
    assert all(alone[run] in numbers[run] for run in told)


def test_numbers_of_runs_are_those_that_stored_classifiers_know() -> None:
    """Of words BLAKE2b's, of longer runs a polynomial of them by the golden ratio, modulo 2^64."""
    number, expected = 0, []
    for word in ("no", "\u00e9t\u00e9", "!"):
        digest = hashlib.blake2b(word.encode("utf-8"), digest_size=8).digest()
        number = (number * 0x9E3779B97F4A7C15 + int.from_bytes(digest, "little")) % 2**64
        expected.append(number)
    rows, hashes = Words.of(["", "no \u00e9t\u00e9 !"]).runs(Zone(9, 3, starts=True))
    assert rows.tolist() == [1, 1, 1]
    assert hashes.tolist() == expected

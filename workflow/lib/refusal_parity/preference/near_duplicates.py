"""Which openings are nearly the same text: they are no independent observations."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from datasketch import MinHash
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    IntArray = npt.NDArray[np.intp]

ALIKE: Final = 0.6
"""Jaccard similarity of words and pairs of words from which on two openings are near-equal."""

_BANDS: Final = 20
_ROWS: Final = 3
"""A pair with a similarity of 0.6 meets in one of the bands with a probability of 0.99."""

_SEED: Final = 1
_WORD: Final = re.compile(r"\w+(?:'\w+)*")


def near_equal(texts: Sequence[str]) -> IntArray:
    """The cluster of each text: those linked by near-equal ones are together.

    Candidates are found by MinHash signatures (Broder 1997) in bands, as in
    locality-sensitive hashing (Leskovec, Rajaraman and Ullman, Mining of Massive
    Datasets, chapter 3); a text is compared in full with the first of its band. The
    order of the texts does not matter, but for the numbers of the clusters.

    Args:
        texts: any number.

    Returns:
        Codes 0 to m - 1 in the order in which clusters first occur, shape (texts,).
    """
    if not texts:
        return np.zeros(0, np.intp)
    # As one text each: lists of words would take ten times the memory.
    words = [" ".join(_WORD.findall(reading(text))) for text in texts]
    distinct = sorted(set(words))
    position = {each: at for at, each in enumerate(distinct)}
    links = list(_links(distinct))
    one, other = np.array(links, dtype=np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(len(distinct),) * 2)
    _, component = connected_components(graph, directed=False)
    found = component[[position[each] for each in words]]
    _, first, code = np.unique(found, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[code], dtype=np.intp)


@lru_cache(maxsize=4_096)
def _shingles(words: str) -> frozenset[str]:
    """Words and pairs of words of a text that has blanks between words."""
    each = words.split()
    return frozenset((*each, *(" ".join(pair) for pair in pairwise(each))))


def _links(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of near-equal texts, enough to link those that belong together."""
    signatures = _signatures(texts)
    for band in range(_BANDS):
        part = np.ascontiguousarray(signatures[:, band * _ROWS : (band + 1) * _ROWS])
        _, code = np.unique(part.view(f"V{part.itemsize * _ROWS}").ravel(), return_inverse=True)
        order = np.argsort(code, kind="stable")
        for members in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
            first = int(members[0])
            for member in map(int, members[1:]):
                if _similarity(_shingles(texts[first]), _shingles(texts[member])) >= ALIKE:
                    yield first, member


def _signatures(texts: Sequence[str]) -> npt.NDArray[np.uint32]:
    found = np.zeros((len(texts), _BANDS * _ROWS), np.uint32)
    encoded = ([each.encode() for each in _shingles(text)] for text in texts)
    for at, minhash in enumerate(MinHash.generator(encoded, num_perm=_BANDS * _ROWS, seed=_SEED)):
        found[at] = minhash.hashvalues
    return found


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's of two texts, one of which has words at least."""
    return len(one & other) / len(one | other)

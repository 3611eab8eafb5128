"""Which labels by people a level lacks, counted by hand."""

from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.statistics.human_sample import Lack, unlabelled_part, wanted

Stratum = tuple[str | None, list[float], int]
"""Its key, what people say of its labelled rows, and how many rows it has besides."""


def rows_of(strata: list[Stratum], *, weight: float = 2.0, filtered: int = 0) -> pl.DataFrame:
    """Rows of a level; `filtered` are refusals by the service, which nobody reads."""
    rows = [
        (stratum, said, weight, False) for stratum, human, _ in strata for said in human
    ]  # fmt: skip
    rows += [(stratum, None, None, False) for stratum, _, rest in strata for _ in range(rest)]
    rows += [(None, None, None, True)] * filtered
    schema = {
        "stratum": pl.String,
        "human": pl.Float64,
        "weight": pl.Float64,
        "filtered": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def hits(k: int, n: int) -> list[float]:
    """Labels by people: k with the outcome of n."""
    return [1.0] * k + [0.0] * (n - k)


HALF = 1 / 2
THIRD = 1 / 3


@pytest.mark.parametrize(
    ("strata", "lack"),
    [
        # Twenty labels, of which five have the outcome: enough, with one label less not.
        ([("s", hits(5, 20), 30)], None),
        ([("s", hits(15, 20), 30)], None),
        ([("s", hits(5, 20), 0)], None),
        ([("s", hits(5, 19), 30)], ("1 more human label needed in y", 1)),
        ([("s", hits(14, 19), 30)], ("1 more human label needed in y", 1)),
        ([("s", hits(7, 14), 30)], ("6 more human labels needed in y", 6)),
        # Of four with the outcome one lacks: at (4 + 1) / (20 + 2) a label, 5 find it.
        ([("s", hits(4, 20), 30)], ("5 more human labels needed in s", 5)),
        # The same of those without it.
        ([("s", hits(16, 20), 30)], ("5 more human labels needed in s", 5)),
        # None of 20: five at 1 / 22.
        ([("s", hits(0, 20), 200)], ("110 more human labels needed in s", 110)),
        # Both lack, and the larger number is said.
        ([("s", hits(1, 3), 200)], ("17 more human labels needed in y", 17)),
        # In the stratum where the outcome is most frequent: 3 of 8, so that two lack at 4 / 10.
        (
            [("a", hits(0, 12), 90), ("b", hits(3, 8), 90)],
            ("5 more human labels needed in b", 5),
        ),
        # Where one row alone was read nobody knows: it may be more frequent there than 2 in 10.
        (
            [("a", hits(0, 1), 90), ("b", hits(2, 10), 90), ("c", hits(0, 20), 90)],
            ("9 more human labels needed in a", 9),
        ),
        # Of strata that are as good, the first by name.
        (
            [("b", hits(1, 10), 90), ("a", hits(1, 10), 90)],
            ("18 more human labels needed in a", 18),
        ),
        # As many are wanted for the number of labels and for the outcome: anywhere in the level.
        ([("s", hits(4, 16), 30)], ("4 more human labels needed in y", 4)),
        # Few rows are left: all of them, and then nothing is to be estimated.
        (
            [("s", hits(0, 20), 7)],
            ("7 more human labels needed in y, all that are left there", 7),
        ),
        ([("s", hits(4, 20), 5)], ("5 more human labels needed in s", 5)),
        # By chance all rows were drawn, of strata that other levels share: none is left to ask for.
        ([("s", hits(0, 20), 0)], ("people read all there is of y, which is too little", None)),
        # Nobody read anything.
        ([("s", [], 90)], ("20 more human labels needed in y", 20)),
        # Labels whose stratum is not known are the level's own.
        ([(None, hits(4, 20), 30)], ("5 more human labels needed in y", 5)),
        # Votes that are split count by their share: ten halves are five, three thirds one.
        ([("s", [HALF] * 10 + hits(0, 10), 30)], None),
        ([("s", [HALF] * 9 + hits(0, 11), 30)], ("22 more human labels needed in s", 22)),
        # Fifteen thirds are five, although they add up to 4.999999999999999.
        ([("s", [THIRD] * 15 + hits(0, 5), 30)], None),
        # Of 25 four fifths are 20, although they add up to more.
        ([("s", [4 / 5] * 25, 30)], None),
    ],
)
def test_what_a_level_lacks(strata: list[Stratum], lack: tuple[str, int | None] | None) -> None:
    assert wanted(rows_of(strata), "y") == (None if lack is None else Lack(*lack))


def test_a_level_that_was_read_whole_lacks_nothing() -> None:
    whole = [("s", hits(0, 3), 0)]
    assert wanted(rows_of(whole, weight=1.0), "y") is None
    # Nor does what the service refused want a person.
    assert wanted(rows_of(whole, weight=1.0, filtered=9), "y") is None
    assert wanted(rows_of([], filtered=4), "y") is None
    # Weights above 1 say that others were never read; so do rows without a label.
    assert wanted(rows_of(whole), "y") is not None
    some = wanted(rows_of([("s", hits(0, 3), 1)], weight=1.0), "y")
    assert some == Lack("1 more human label needed in y, all that are left there", 1)


def test_refusals_by_the_service_are_not_counted_among_those_left() -> None:
    found = wanted(rows_of([("s", hits(0, 20), 7)], filtered=500), "y")
    assert found == Lack("7 more human labels needed in y, all that are left there", 7)


def test_without_rows_no_label_helps() -> None:
    assert wanted(rows_of([]), "y") == Lack("y has no machine label", None)


Cell = tuple[str, str, int, int]
"""A group, the machine's label, and how many responses people labelled, of how many."""


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("x", "answer", 30, 900), ("x", "refusal", 10, 100)], None),
        # As many as a sample of 40 might miss by chance: 5 of 40 are 125 of 1,000.
        ([("x", "answer", 40, 875), ("x", "refusal", 0, 125)], None),
        (
            [("x", "answer", 40, 874), ("x", "refusal", 0, 126)],
            "the machine labels 126 responses as refusal in y",
        ),
        # One group of a level of several.
        (
            [("x", "answer", 40, 400), ("z", "answer", 0, 200), ("z", "failure", 0, 1)],
            "the machine labels 200 responses as answer and 1 response as failure in y",
        ),
    ],
)
def test_responses_that_no_label_stands_for(cells: list[Cell], said: str | None) -> None:
    rows = pl.DataFrame(
        [
            (group, label, 1.0 if at < labelled else None, False)
            for group, label, labelled, number in cells
            for at in range(number)
        ],
        schema=["group", "machine_label", "human", "filtered"],
        orient="row",
    )
    found = unlabelled_part(rows, "y")
    assert (found is None) if said is None else str(found).startswith(said)
    filtered = rows.with_columns(filtered=pl.col("human").is_null())
    assert unlabelled_part(filtered, "y") is None
    draws = rows.with_columns(opening=pl.lit(""), worth=pl.lit(0.3))
    assert unlabelled_part(draws, "y") == found
    # Beside enough of the one kind the other kind still lacks them.
    given = rows.with_columns(opening=pl.lit("7"), worth=pl.lit(0.3))
    whole = given.with_columns(human=pl.lit(1.0), opening=pl.lit(""))
    assert unlabelled_part(pl.concat([whole, given]), "y") == found


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("y", "plain", 30, 100), ("y", "strict", 1, 100)], None),
        # 30 labels: a third of the responses have ten of them by chance.
        ([("y", "plain", 30, 100), ("y", "strict", 0, 50)], None),
        (
            [("y", "plain", 30, 100), ("y", "strict", 0, 51)],
            "people labelled none of 51 responses in arm strict of y, for which others cannot",
        ),
        # Of one group alone, and where the other was read in that arm.
        (
            [
                *(("x", arm, 30, 90) for arm in ("plain", "strict")),
                ("y", "plain", 60, 90),
                ("y", "strict", 0, 60),
                ("y", "polite", 0, 70),
            ],
            "people labelled none of 70 responses in arm polite and 60 responses in arm strict",
        ),
    ],
)
def test_arms_that_no_label_stands_for(cells: list[Cell], said: str | None) -> None:
    rows = pl.DataFrame(
        [
            (group, arm, "answer", 0.0 if at < labelled else None, False)
            for group, arm, labelled, number in cells
            for at in range(number)
        ],
        schema=["group", "arm", "machine_label", "human", "filtered"],
        orient="row",
    )
    found = unlabelled_part(rows, "y")
    assert (found is None) if said is None else str(found).startswith(said)
    assert unlabelled_part(rows.drop("arm"), "y") is None


@pytest.mark.parametrize(("worth", "lacks"), [(0.1, False), (1.0, False), (1.1, True)])
def test_weighed_responses_count_by_what_they_are_worth(worth: float, *, lacks: bool) -> None:
    """40 labels of answers: 5 of 40 are an eighth of what all are worth."""
    rows = pl.DataFrame(
        {
            "machine_label": ["answer"] * 700 + ["refusal"] * 100,
            "human": [0.0] * 40 + [None] * 760,
            "worth": [1.0] * 700 + [worth] * 100,
        }
    ).with_columns(filtered=pl.lit(value=False), opening=pl.lit("7"), group=pl.lit("y"))
    assert (unlabelled_part(rows, "y") is not None) == lacks

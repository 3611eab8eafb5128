"""Keys that spreadsheets leave alone, and those of old that they did not."""

from __future__ import annotations

import re

import pytest

from refusal_parity.audit.keys import Keys, task_key

OLD = (
    "1234567890123456",
    "9876543210987654",
    "1e23456789012345",
    "77e1234567890123",
    "00000000000001e5",
    "1234567890123e10",
    "0000000000000042",
    "89ab12cd34ef5678",
)


def test_a_key_is_no_number() -> None:
    keys = {task_key(f"m-p-{sample}", "text") for sample in range(2_000)}
    assert len(keys) == 2_000
    assert all(re.fullmatch("row-[0-9a-f]{16}", key) for key in keys)


@pytest.mark.parametrize(
    ("written", "task"),
    [
        ("89ab12cd34ef5678", "89ab12cd34ef5678"),
        ("row-89ab12cd34ef5678", "89ab12cd34ef5678"),
        ("Row-89AB12CD34EF5678", "89ab12cd34ef5678"),
        ("'row-89ab12cd34ef5678", "89ab12cd34ef5678"),
        ('"row-89ab12cd34ef5678" ', "89ab12cd34ef5678"),
    ],
)
def test_keys_with_their_prefix_and_without(written: str, task: str) -> None:
    known = Keys(OLD).known(written, lambda _: False)
    assert (known.task, known.problem) == (task, None)
    prefixed = Keys(f"row-{key}" for key in OLD).known(written, lambda _: False)
    assert (prefixed.task, prefixed.problem) == (f"row-{task}", None)


@pytest.mark.parametrize(
    ("written", "task"),
    [
        ("1234567890123460", OLD[0]),
        ("1.23457E+15", OLD[0]),
        ("1,23457E+15", OLD[0]),
        ("1.23456789012346E+015", OLD[0]),
        ("1 234 567 890 123 456", OLD[0]),
        ("100000", OLD[4]),
        ("1.234567890123E+022", OLD[5]),
        ("1,23457E+22", OLD[5]),
        ("42", OLD[6]),
    ],
)
def test_a_key_that_became_a_number_is_known(written: str, task: str) -> None:
    known = Keys(OLD).known(written, lambda one: one == task)
    assert known.task == task
    assert known.problem
    assert task in known.problem
    # Beside the text of another row it says nothing.
    assert Keys(OLD).known(written, lambda _: False).task is None
    # One that was changed says nothing against it.
    assert Keys(OLD).known(written, lambda _: False, is_of_some=False).task == task


@pytest.mark.parametrize(
    ("key", "written", "is_it"),
    [
        # Six digits with an exponent are what a spreadsheet shows, and more are all that it knows.
        ("1234567890123456", "1.23457E+15", True),
        ("1234567890123456", "1.23456789012346E+15", True),
        ("1234567890123456", "1.23456999999999E+15", False),
        # Without an exponent nothing is rounded to six.
        ("0000000000999999", "999999", True),
        ("0000000000999999", "999998", False),
    ],
)
def test_digits_that_were_written_are_the_key_s(key: str, written: str, *, is_it: bool) -> None:
    found = Keys((key,)).known(written, lambda _: True)
    assert (found.task == key) is is_it


@pytest.mark.parametrize("is_of_some", [True, False])
def test_of_two_keys_that_became_one_number_neither_is_known_by_a_text_of_both(
    *, is_of_some: bool
) -> None:
    both = ("1234567890123456", "1234567890123411")
    found = Keys(both).known("1.23457E+15", lambda _: True, is_of_some=is_of_some)
    assert found.task is None
    assert found.problem
    assert all(key in found.problem for key in both)
    one = Keys(both).known("1.23457E+15", lambda task: task == both[1])
    assert one.task == both[1]


@pytest.mark.parametrize(
    "written",
    ["1.79769313486232E+308", "1,79769313486232E+308", "1.7976931348623157E+308", "inf"],
)
def test_numbers_beyond_all_are_told_by_their_text(written: str) -> None:
    found = Keys(OLD).known(written, lambda task: task == OLD[3])
    assert found.task == OLD[3]
    open_ = Keys(OLD).known(written, lambda _: False)
    assert open_.task is None
    assert open_.problem
    assert OLD[2] in open_.problem
    assert OLD[3] in open_.problem


def test_where_no_key_is_written_none_is_known() -> None:
    found = Keys(OLD).known(None, lambda _: True)
    assert (found.task, found.problem) == (None, "no key")


@pytest.mark.parametrize("written", ["1234567890123999", "2.5E+15", "43", "zz", "1e5x", "-42"])
def test_other_numbers_are_no_keys(written: str) -> None:
    known = Keys(OLD).known(written, lambda _: True)
    assert known.task is None
    assert known.problem == f"key {written!r} is not of this sample"

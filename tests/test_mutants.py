from __future__ import annotations

import importlib
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

MODULE = "statistics/distributions.py"
TESTS = ["tests/statistics/test_distributions.py"]


@pytest.fixture(scope="module")
def program(root: Path) -> Iterator[ModuleType]:
    """The program behind `make mutants`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "benchmarks")
        yield importlib.import_module("mutants")


@pytest.fixture(scope="module")
def mutating(program: ModuleType) -> ModuleType:
    """Its mutants."""
    return sys.modules[program.Mutant.__module__]


def test_a_planted_mutant_is_killed_in_a_copy(
    program: ModuleType, root: Path, tmp_path: Path
) -> None:
    if not (root / ".git").exists():
        pytest.skip(f"no git repository at {root}")
    path = root / program.PACKAGE / MODULE
    source = path.read_text(encoding="utf-8")
    copy = program.Copy.made(root, tmp_path, Path(sys.executable))

    wrong = source.replace("return ndtr(-np.asarray(x))", "return ndtr(+np.asarray(x))")
    mutant = program.Mutant.of(MODULE, source, wrong)
    assert (mutant.was, mutant.becomes) == (
        "return ndtr(-np.asarray(x))",
        "return ndtr(+np.asarray(x))",
    )
    assert source.splitlines()[mutant.line - 1].strip() == mutant.was
    assert copy.fate(mutant, TESTS, limit=None) == "killed"
    assert copy.fate(mutant, TESTS, limit=0.01) == "timed out"

    same = program.Mutant.of(MODULE, source, source.replace("q: Numbers", "q:  Numbers"))
    assert copy.fate(same, TESTS, limit=None) == "survived"
    assert path.read_text(encoding="utf-8") == source
    assert (tmp_path / program.PACKAGE / MODULE).read_text(encoding="utf-8") == source


SOURCE = """\
if TYPE_CHECKING:
    import numpy

LIMIT: Final[1 | 2] = 3

@dataclass(frozen=True)
class Sum:
    total: int = 4

    @cached(size=5)
    def half(self, *, by: int | None = 6) -> int | None:
        return self.total // 7 + sum(zip(a[8:], strict=False))
"""


@pytest.mark.parametrize(
    ("text", "is_mutated"),
    [
        ("numpy", False),
        ("1 | 2", False),
        ("= 3", True),
        ("True", False),
        ("= 4", True),
        ("5", True),
        ("*, by", False),
        ("| None = 6", False),
        ("6", True),
        ("| None:", False),
        ("// 7", True),
        ("8", True),
        ("False)", False),
    ],
)
def test_what_the_type_checker_alone_reads_is_left(
    mutating: ModuleType, text: str, *, is_mutated: bool
) -> None:
    before = SOURCE[: SOURCE.index(text)]
    place = (before.count("\n") + 1, len(before) - before.rfind("\n") - 1)
    spans = mutating.untouched(SOURCE)
    assert any(first <= place < last for first, last in spans) is not is_mutated


def test_the_nearest_tests_come_first(program: ModuleType, tmp_path: Path) -> None:
    room = tmp_path / "tests" / "audit"
    room.mkdir(parents=True)
    texts = {
        "all": "",
        "users": "from refusal_parity.audit import keys, votes",
        "votes": "",
        "readers": "from refusal_parity.audit.votes import Vote",
        "longer": "from refusal_parity.audit.votes_of import Vote",
    }
    for name, text in texts.items():
        (room / f"test_{name}.py").write_text(text, encoding="utf-8")
    found = program.test_files(tmp_path, "audit/votes.py")
    nearest = ["votes", "readers", "users", "all", "longer"]
    assert found == [f"tests/audit/test_{name}.py" for name in nearest]


def test_equivalent_mutants_do_not_count(program: ModuleType) -> None:
    fates = {
        "audit/votes.py": Counter(killed=30, survived=1, equivalent=9),
        "audit/keys.py": Counter({"killed": 7, "timed out": 1, "survived": 1}),
    }
    assert program.summed("audit", fates, seconds=80) == pytest.approx(2 / 40)


def test_the_listed_equivalents_are_still_in_the_code(program: ModuleType, root: Path) -> None:
    for entry in program.equivalents(root):
        assert entry.reason
        assert entry.was != entry.becomes


def test_an_equivalent_is_one_change_or_all_of_a_line(program: ModuleType) -> None:
    mutant = program.Mutant.of("audit/votes.py", "a = 1\nb = 2\n", "a = 1\nb =  3\n")
    assert (mutant.line, mutant.was, mutant.becomes) == (2, "b = 2", "b = 3")
    for change, covered in [
        ({}, True),
        ({"becomes": "b = 3"}, True),
        ({"becomes": "b = 1"}, False),
        ({"was": "a = 1"}, False),
        ({"module": "audit/keys.py"}, False),
    ]:
        entry = {"module": "audit/votes.py", "was": "b = 2", "reason": "r"} | change
        assert program.Equivalent(**entry).covers(mutant) is covered

from __future__ import annotations

import re

import pytest

from refusal_parity.targets import target_fault

_MODEL = "results/tea/models/{model,[^/]+}"
_FILES = {
    "brew": [f"{_MODEL}/leaves.parquet", f"{_MODEL}/logs/brew.log"],
    "pour": ["results/tea/cups.parquet"],
    "write_report": ["results/tea/report.html"],
    "wash": ["results/tea/shards/{shard,\\d+}.txt"],
    "all": [],
}


def _regex(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+),([^{}]*)\}", path)
    groups = zip(parts[1::3], parts[2::3], [*parts[3::3]], strict=True)
    rest = "".join(f"(?P<{key}>{words}){re.escape(after)}" for key, words, after in groups)
    return re.compile(f"{re.escape(parts[0])}{rest}$")


RULES = {rule: [(path, _regex(path)) for path in paths] for rule, paths in _FILES.items()}


@pytest.mark.parametrize(
    "target",
    [
        "pour",
        "all",
        "results/tea/cups.parquet",
        "results/tea/models/darjeeling/leaves.parquet",
        "results/tea/shards/3.txt",
        "results/tea/models/assam/logs/brew.log",
    ],
)
def test_what_a_rule_makes_is_no_fault(target: str) -> None:
    assert target_fault(target, RULES, ["assam", "darjeeling"]) is None


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("powr", "No rule makes powr. Did you mean pour?"),
        ("reprt", "No rule makes reprt. Did you mean results/tea/report.html?"),
        ("results/te/cups.parquet", "Did you mean results/tea/cups.parquet?"),
        ("results/tea/cups.csv", "Did you mean results/tea/cups.parquet?"),
        (
            "results/tea/models/asam/leaves.parquet",
            (
                "asam/leaves.parquet: the study has no model 'asam'. "
                "Did you mean results/tea/models/assam/leaves.parquet?"
            ),
        ),
        ("results/tea/models/assam/leave.parquet", "models/assam/leaves.parquet?"),
        ("brew", "for each model or the like. Ask for one of them, such as results/tea/models/ass"),
        ("wash", "The rule wash makes a file for each model or the like. This study has none"),
        ("sugar", "No rule makes sugar. `snakemake --list-target-rules` and docs/tables.md say"),
    ],
)
def test_what_no_rule_makes_comes_with_what_was_meant(target: str, said: str) -> None:
    fault = target_fault(target, RULES, ["assam", "darjeeling"])
    assert fault is not None
    assert said in fault

"""A study of a prompt list, whose responses are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
from whole_study import WholeStudy

from refusal_parity.config import StudyConfig, load_config
from refusal_parity.expansion import list_prompts
from refusal_parity.listed import read_list

if TYPE_CHECKING:
    from pathlib import Path

UNSAFE, SAFE = 24, 30


@dataclass(frozen=True, kw_only=True)
class ListStudy(WholeStudy):
    """Safe and unsafe prompts, of which two models refuse some of the safe and most unsafe ones."""

    path: Path
    sets: bool = False

    def config(self) -> StudyConfig:
        raw: dict[str, Any] = {
            "study": "list",
            "prompts": {"list": str(self.path), "arms": dict.fromkeys(self.arms)},
            "samples": 2,
            "models": {
                key: {"engine": "import", "path": f"{key}.csv", "format": "table",
                      "columns": {"response": "r", "prompt": "p"}}
                for key in self.models
            },
            "labelling": {"method": "keyword"},
            "analysis": {
                "dimensions": {"kind": {"reference": "safe"}, "topic": {"reference": "tools"}},
                "primary_family": {"outcome": "refusal", "dimension": "kind"},
                "permutations": 99, "bootstraps": 99, "selfcheck": 40,
            },
        }  # fmt: skip
        if len(self.arms) > 1:
            raw["prompts"]["arms"] = {"plain": None, "careful": "Be careful."}
        return load_config(raw, where="config")

    def prompts(self) -> pl.DataFrame:
        rows = [
            {"prompt_id": f"t{at}", "prompt": f"Do number {at}.",
             "kind": "unsafe" if at < UNSAFE else "safe", "topic": ["tools", "law"][at % 2],
             **({"set": f"s{at // 3}"} if self.sets else {})}
            for at in range(UNSAFE + SAFE)
        ]  # fmt: skip
        pl.DataFrame(rows).write_csv(self.path)
        return list_prompts(read_list(self.path), self.config().prompts.arms)


def say(model: str, group: str | None, name: str | None, at: int) -> str:
    """The two responses of a model to a prompt of the list, a letter each."""
    assert group is None
    assert name is None
    if at < UNSAFE:
        return "rr" if at % 6 else "ra"
    if at == UNSAFE + 1:
        return "-e"
    return {"careless": "ra" if at % 10 == 0 else "aa"}.get(model, "rr" if at % 3 == 0 else "aa")

"""A study of few templates and names, written and checked in a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from refusal_parity.config import load_config
from refusal_parity.study import check_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from refusal_parity.study import Checked


TEMPLATES = """template_id,family,template
w1,work,[NAME] has been promoted
w2,work,[NAME] applies for a post
w3,work,[NAME] leaves early
w4,work,[NAME] starts on Monday
f1,food,[NAME] bakes [NAME]'s bread
"""
NAMES = """name_id,name,group,gender
a1,Alexandra,greek,woman
a2,Bion,greek,man
a3,Chloe,greek,woman
a4,Dion,greek,man
b1,R\u00e9my,m\u00e9tis,man
b2,Louis,m\u00e9tis,man
b3,Ren\u00e9e,m\u00e9tis,woman
b4,Anne,m\u00e9tis,woman
b5,Odile,m\u00e9tis,woman
"""


@dataclass(frozen=True)
class Desk:
    """A study in a folder of its own."""

    folder: Path

    def check(
        self,
        *,
        templates: str = TEMPLATES,
        names: str = NAMES,
        prompts: dict[str, Any] | None = None,
        covariates: Sequence[str] = (),
        **dimensions: str,
    ) -> Checked:
        (self.folder / "t.csv").write_text(templates, "utf-8")
        (self.folder / "n.csv").write_text(names, "utf-8")
        compared = {"group": "greek"} | dimensions
        raw = {
            "study": "s",
            "results": str(self.folder),
            "samples": 2,
            "prompts": {
                "templates": str(self.folder / "t.csv"),
                "names": str(self.folder / "n.csv"),
            }
            | (prompts or {}),
            "models": {"m": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"}},
            "analysis": {
                "dimensions": {key: {"reference": level} for key, level in compared.items()},
                "covariates": list(covariates),
            },
        }
        return check_inputs(load_config(raw, where="x.yaml"), where="x.yaml")

"""What is checked of a study's models before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.config import load_config
from refusal_parity.errors import InputError
from refusal_parity.study import check_inputs, unweighed

if TYPE_CHECKING:
    from pathlib import Path


def test_models_whose_openings_cannot_be_weighed_are_named() -> None:
    raw: dict[str, Any] = {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "sampling": {"openings": "weigh"},
        "models": {
            "v": {"engine": "vllm", "source": {"path": "x"}, "prompt_mode": "chat"},
            "o": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"},
            "i": {"engine": "import", "path": "r.csv", "format": "chehbouni-2024"},
        },
    }
    config = load_config(raw, where="x.yaml")
    assert config.weighed == ["v"]
    served, imported = unweighed(config)
    assert [line.split(":")[0] for line in (served, imported)] == ["models.o", "models.i"]
    assert "`server: vllm` says so" in served
    assert "server" not in imported
    raw["models"]["o"]["server"] = "vllm"
    config = load_config(raw, where="x.yaml")
    assert config.weighed == ["v", "o"]
    assert len(list(unweighed(config))) == 1
    del raw["models"]["o"]["server"]
    raw["models"]["o"]["openings"] = "draw"
    assert len(list(unweighed(load_config(raw, where="x.yaml")))) == 1
    raw["sampling"] = {}
    raw["models"]["v"]["openings"] = "weigh"
    config = load_config(raw, where="x.yaml")
    assert (config.weighed, list(unweighed(config))) == (["v"], [])


def test_references_of_prompts_that_come_with_responses(released_csv: Path, tmp_path: Path) -> None:
    raw = {
        "study": "s",
        "results": str(tmp_path),
        "prompts": {"from_model": "m"},
        "models": {
            "m": {"engine": "import", "path": str(released_csv), "format": "chehbouni-2024"}
        },
        "analysis": {"dimensions": {"group": {"reference": "white"}, "family": {"reference": "x"}}},
    }
    with pytest.raises(InputError, match="reference 'x' is no family of"):
        check_inputs(load_config(raw, where="x"), where="x")
    raw["analysis"]["dimensions"].pop("family")  # type: ignore[index]
    checked = check_inputs(load_config(raw, where="x"), where="x")
    assert checked.prompts is not None
    assert checked.prompts.prompts == 768

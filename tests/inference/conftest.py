from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.expansion import expand
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import Responses, conform

# Tests are imported one by one and no package: their helpers must be findable by name.
sys.path.append(str(Path(__file__).parent))

from failing_server import KEY, Server, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARMS: dict[str, str | None] = {"plain": None, "kind": "Be kind."}


@pytest.fixture(scope="session")
def prompts(root: Path) -> pl.DataFrame:
    """The demo study's 1,792 prompts."""
    return expand(
        read_templates(root / "data/templates.csv"),
        read_names(root / "data/names-56.csv"),
        {"a": None},
    )


@pytest.fixture
def rows() -> pl.DataFrame:
    """Six responses to two prompts."""
    frame = pl.DataFrame(
        {
            "model": "m",
            "prompt_id": ["p", "q"] * 3,
            "sample": [0, 0, 1, 1, 2, 2],
            "response_id": [f"{i:032x}" for i in range(6)],
            "seed": range(6),
            "response": [f"response {i}" for i in range(6)],
            "finish_reason": "stop",
            "prompt_tokens": 5,
            "response_tokens": 3,
            "cost": None,
            "status": "ok",
            "truncated": False,
            "thinking": None,
            "refusal_reason": None,
            "error": None,
            "rendered_sha256": "0" * 16,
            "imported_label": None,
            "answered_at": None,
            "answered_by": None,
            "fingerprint": None,
        }
    )
    return conform(frame, Responses, where="test")


@pytest.fixture
def study() -> Callable[..., pl.DataFrame]:
    """Makes the prompts of two templates and two names, in the arms asked for."""
    templates = pl.DataFrame(
        {
            "template_id": ["well", "badly"],
            "family": "f",
            "template": ["[NAME] sings well", "[NAME] sings badly"],
        }
    )
    names = pl.DataFrame(
        {
            "name_id": ["a", "b"],
            "name": ["Ana", "Bo"],
            "group": ["x", "y"],
            "gender": None,
            "commonness": None,
        }
    )

    def made(*arms: str) -> pl.DataFrame:
        return expand(templates, names, {arm: ARMS[arm] for arm in arms})

    return made


@pytest.fixture
def answers() -> pl.DataFrame:
    """A file of responses to `study`, made elsewhere: a text, none, and labels in other words."""
    return pl.DataFrame(
        {
            "text": ["Ana sings well", "Bo sings well", "Ana sings badly", "Bo sings badly"],
            "out": ["A song.", " I cannot, sorry. ", None, "Opera."],
            "kind": ["answer", "Harmful refusal", None, "answer"],
        }
    )


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that `failing_server` asks for is set."""
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that fails as the prompts say."""
    with serving() as running:
        yield running

"""Where nothing that trains is installed, one sentence says what to do."""

from __future__ import annotations

import sys

import pytest

from refusal_parity.errors import InputError
from refusal_parity.training.libraries import LIBRARIES, training_module


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    for name in LIBRARIES:
        monkeypatch.setitem(sys.modules, name, None if name == library else sys)
    monkeypatch.delitem(sys.modules, "refusal_parity.training.variants", raising=False)
    for module in ("Dataset", "LoraConfig", "DPOConfig", "DPOTrainer", "SFTConfig", "SFTTrainer"):
        monkeypatch.setattr(sys, module, object, raising=False)
    with pytest.raises(InputError, match=f"{library} is not installed") as raised:
        training_module()
    assert "make install" in raised.value.remedy

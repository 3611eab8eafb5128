from __future__ import annotations

import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.files import new_file, write_text

KILLED = """
import os, signal, sys
from pathlib import Path
from refusal_parity.files import new_file
with new_file(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROOM = 1000
FRAME = pl.DataFrame({"text": [f"response {number}" for number in range(20_000)]})


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Files may not grow past some bytes: what the file system says of a full disk, but for why."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_text("x" * 2 * ROOM),
        FRAME.write_parquet,
        FRAME.write_csv,
    ],
    ids=["text", "parquet", "csv"],
)
@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    with (
        pytest.raises(InputError, match=r"cannot be written \(File too large\).*has room"),
        new_file(tmp_path / "file") as temporary,
    ):
        write(temporary)
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_polars_are_not_the_disks(tmp_path: Path) -> None:
    with pytest.raises(pl.exceptions.ColumnNotFoundError), new_file(tmp_path / "file"):
        FRAME.select("label")


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_text(path, "one")
    with pytest.raises(UnicodeEncodeError), new_file(path) as temporary:
        temporary.write_text("two\udfff", encoding="utf-8")
    assert path.read_text("utf-8") == "one"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_what_a_killed_process_had_written_goes(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "a [b].csv"
    command = [sys.executable, "-c", KILLED, str(path)]
    done = subprocess.run(command, env={"PYTHONPATH": str(root / "workflow/lib")}, check=False)
    assert done.returncode == -signal.SIGKILL
    half = [each.name for each in tmp_path.iterdir()]
    assert len(half) == 1
    others = (tmp_path / ".a [b].csv.mine", tmp_path / ".a [b].csv.elsewhere-7.0123abcd")
    for other in others:
        other.write_text("x")
    with new_file(path) as first, new_file(path) as second:
        # One that is being written stays.
        first.write_text("1")
        second.write_text("2")
    assert path.read_text("utf-8") == "1"
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        [path.name, *(other.name for other in others)]
    )

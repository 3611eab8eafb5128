from __future__ import annotations

import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
import pytest
import yaml

from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from conftest import Workplace

pytestmark = pytest.mark.workflow


def test_snakemake_leaves_the_saved_responses_of_a_stopped_job(workplace: Workplace) -> None:
    config = yaml.safe_load((workplace.root / "config/config.yaml").read_text("utf-8"))
    del config["models"]["demo-guarded"]
    name = workplace.write_config("study.yaml", config)
    log = workplace.folder / "results/demo/logs/generate_responses/demo-even.log"
    folder = workplace.folder / "results/demo/models/demo-even"
    target = "results/demo/models/demo-even/responses.parquet"
    with subprocess.Popen(
        workplace.command(target, config=name),
        cwd=workplace.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as snakemake:
        while not (log.exists() and "of 5,376 responses, " in log.read_text()):
            assert snakemake.poll() is None
            time.sleep(0.05)
        for process in psutil.Process(snakemake.pid).children(recursive=True):
            if "generate_responses.py" in " ".join(process.cmdline()[1:2]):
                process.send_signal(signal.SIGTERM)
        _, errors = snakemake.communicate()
    assert snakemake.returncode != 0
    stopped = re.search(r"stopped by SIGTERM: ([\d,]+) of 5,376 responses are saved", errors)
    assert stopped, errors
    assert errors.endswith(f"[demo-even] {stopped[0]}; run again to go on\n")
    assert not (folder / "responses.parquet").exists()
    again = workplace.run(target, config=name)
    assert again.returncode == 0, again.stderr
    assert f"{stopped[1]} of 5,376 responses are there already" in again.stderr
    assert [path.name for path in folder.iterdir()] == ["responses.parquet"]
    assert set(read_table(Responses, folder / "responses.parquet")["status"]) == {"ok"}

"""The whole workflow on 12 models x 100,000 imported responses: `make bench-scale`.

133 names in seven groups, 250 templates and 3 samples, labels and all, are drawn
from the project's own simulation with a fixed seed into a temporary folder. Then
Snakemake runs there on two cores from the files to the report, and for each rule
are printed its jobs, their seconds on the clock and of the processor, and the
largest peak of memory; then what the report takes on disk, and the seconds of a
fixed piece of arithmetic: how busy the machine was.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
import psutil
import yaml

from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.starter import starter_files
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import Latent

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import IntArray

ROOT = Path(__file__).parents[1]
GROUPS = ("white", "black", "chinese", "italian", "mexican", "muslim", "polish")
NAMES, TEMPLATES, SAMPLES = 133, 250, 3
MISSING = 0.01
"""Share of the responses that a file does not hold."""
TEXTS = 4
"""Starter texts that a response is made of: some 400 characters."""
_EVERY = 0.1
"""Seconds between two looks at the processes."""


class Kind(NamedTuple):
    """Models of one kind: shares of the latent variance by what is shared, and rates.

    Attributes:
        name: variance between names, with 1 for the variance between responses.
        template: between templates.
        template_group: by which a template moves one group and not the others.
        cell: between prompts.
        rate: of refusal in all groups but the last.
        last: of refusal in the last group.
    """

    name: float
    template: float
    template_group: float
    cell: float
    rate: float
    last: float


# As the released labels, as chat models that refuse rarely, and some between.
KINDS = (
    Kind(5.4, 11.5, 0.2, 1.1, 0.2, 0.2),
    Kind(0.15, 1.5, 0.05, 0.3, 0.01, 0.03),
    Kind(0.35, 0.7, 0.1, 0.17, 0.1, 0.15),
    Kind(0.05, 0.7, 0.02, 0.1, 0.002, 0.002),
)


def make_study(folder: Path, models: int, *, quick: bool = False) -> Path:
    """Write stimuli, a file of labelled responses for each model, and the config; its path.

    Args:
        folder: where.
        models: how many.
        quick: leave out the self-check and most random draws, which are the time of
            the statistics, where the other rules are looked at.
    """
    level = np.arange(NAMES) * len(GROUPS) // NAMES
    pl.DataFrame(
        {
            "name_id": [f"n{at:03}" for at in range(NAMES)],
            "name": [f"Name{_word(at)}" for at in range(NAMES)],
            "group": [GROUPS[at] for at in level],
            "gender": ["woman" if at % 2 else "man" for at in range(NAMES)],
        }
    ).write_csv(folder / "names.csv")
    pl.DataFrame(
        {
            "template_id": [f"t{at:03}" for at in range(TEMPLATES)],
            "family": "simulated",
            "template": [f"[NAME] does thing {_word(at)} with [BLANK]" for at in range(TEMPLATES)],
        }
    ).write_csv(folder / "templates.csv")
    gold = read_gold(starter_files())
    texts = {
        label: gold.filter(pl.col("label").cast(pl.String) == label)["response"]
        for label in ("answer", "partial_answer", "refusal", "harmful_refusal")
    }
    keys = [f"model-{at:02}" for at in range(1, models + 1)]
    for at, key in enumerate(keys):
        _responses(level, KINDS[at % len(KINDS)], texts, seed=at).write_csv(folder / f"{key}.csv")
    columns = {key: key for key in ("response", "template", "name", "sample", "label")}
    config = {
        "study": "scale",
        "samples": SAMPLES,
        "prompts": {"templates": "templates.csv", "names": "names.csv"},
        "models": {
            key: {"engine": "import", "format": "table", "path": f"{key}.csv", "columns": columns}
            for key in keys
        },
        "analysis": {
            "dimensions": {"group": {"reference": "white"}},
            **({"selfcheck": 0, "permutations": 999, "bootstraps": 999} if quick else {}),
        },
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def _word(number: int) -> str:
    """A word of letters for each number, no two of which hold each other."""
    return "".join(chr(ord("a") + number // 26**at % 26) for at in range(3))


def _responses(level: IntArray, kind: Kind, texts: dict[str, pl.Series], seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    groups = len(GROUPS)
    n = np.full((NAMES, TEMPLATES), float(SAMPLES))
    variances = (kind.template, kind.template_group, kind.cell)
    latent = Latent(np.zeros(groups), np.full(groups, kind.name), *variances, 1.0).with_rates(
        np.append(np.full(groups - 1, kind.rate), kind.last)
    )
    refused = simulate(Grid(GROUPS, level, n), latent, 1, random).k[0]
    name, template, sample = (each.ravel() for each in np.indices((*n.shape, SAMPLES)))
    label = np.where(
        sample < refused[name, template],
        np.where(random.random(len(name)) < 0.1, "harmful_refusal", "refusal"),
        np.where(random.random(len(name)) < 0.1, "partial_answer", "answer"),
    )
    response = np.empty(len(name), dtype=object)
    for key, possible in texts.items():
        rows = np.flatnonzero(label == key)
        picked = random.integers(len(possible), size=(len(rows), TEXTS))
        response[rows] = [" ".join(texts) for texts in possible.to_numpy()[picked]]
    return pl.DataFrame(
        {
            "template": [f"t{at:03}" for at in template],
            "name": [f"n{at:03}" for at in name],
            "sample": sample,
            "response": pl.Series(response, dtype=pl.String),
            "label": label,
        }
    ).filter(pl.Series(random.random(len(name)) >= MISSING))


@dataclass
class Job:
    """What one process of a script took: seconds on the clock and of processors, and memory."""

    rule: str
    wall: float = 0.0
    cpu: float = 0.0
    megabytes: float = 0.0


def watch(workflow: psutil.Process, jobs: dict[int, Job], over: threading.Event) -> None:
    """Look at the workflow's scripts until it is over.

    Snakemake's own `benchmark:` would have to stand in every rule. A script's
    process tells its rule by its file's name, and Linux keeps its peak.

    Args:
        workflow: the process of Snakemake.
        jobs: by process; filled here.
        over: set when the workflow has ended.
    """
    while not over.wait(_EVERY):
        # Processes end while they are looked at, the workflow's too.
        with suppress(psutil.NoSuchProcess):
            for process in workflow.children(recursive=True):
                with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                    _look(process, jobs)


def _look(process: psutil.Process, jobs: dict[int, Job]) -> None:
    rule = _rule_of(process.cmdline())
    if rule is None:
        return
    job = jobs.setdefault(process.pid, Job(rule))
    used = process.cpu_times()
    job.wall = time.time() - process.create_time()
    job.cpu = used.user + used.system
    job.megabytes = max(job.megabytes, _peak(process.pid))


def _rule_of(command: list[str]) -> str | None:
    """The script that a Python process runs, `tmp1a2b3c.test_disparity.py`."""
    scripts = [Path(word).name for word in command[:2] if ".snakemake/scripts/" in word]
    return scripts[0].split(".")[1] if scripts else None


def _peak(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 1024
    return 0.0


def run(config: Path, cores: int) -> list[Job]:
    """Run the workflow beside its config, and tell what its jobs took.

    Raises:
        SystemExit: the workflow failed.
    """
    command = ["snakemake", "--cores", str(cores), "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(config.parent), "--configfile", str(config)]
    # The package comes with the workflow, as it does without this program.
    given = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    jobs: dict[int, Job] = {}
    over = threading.Event()
    with subprocess.Popen(command, env=given) as workflow:
        watching = threading.Thread(
            target=watch, args=(psutil.Process(workflow.pid), jobs, over), daemon=True
        )
        watching.start()
        status = workflow.wait()
        over.set()
        watching.join()
    if status:
        raise SystemExit(status)
    return list(jobs.values())


def tell(jobs: list[Job]) -> None:
    """Print a line for each rule."""
    by_rule: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_rule[job.rule].append(job)
    print(f"{'rule':<20}{'jobs':>5}{'seconds of a job':>24}{'CPU seconds':>24}{'peak MB':>9}")
    for rule, of_rule in by_rule.items():
        seconds, cpu = (
            f"{sum(each) / len(each):.1f}, at most {max(each):.1f}"
            for each in ([job.wall for job in of_rule], [job.cpu for job in of_rule])
        )
        peak = max(job.megabytes for job in of_rule)
        print(f"{rule:<20}{len(of_rule):>5}{seconds:>24}{cpu:>24}{peak:>9,.0f}")


def main() -> None:
    """Make the study, run it, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=12)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="without the self-check")
    parser.add_argument("--keep", type=Path, help="work here instead of in a temporary folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        config = make_study(folder, arguments.models, quick=arguments.quick)
        began = time.perf_counter()
        jobs = run(config, arguments.cores)
        wall = time.perf_counter() - began
        made = folder / "results/scale"
        sizes = {
            each.relative_to(made): each.stat().st_size / 1e6
            for each in (made / "report.html", *sorted((made / "tables").glob("responses.*")))
        }
    tell(jobs)
    print(f"the whole study: {wall:.0f} s on {arguments.cores} cores")
    for name, size in sizes.items():
        print(f"{name}: {size:,.1f} MB")
    numbers = np.random.default_rng(1).random(10_000_000)
    began = time.perf_counter()
    np.sort(numbers)
    print(f"sorting ten million numbers: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()

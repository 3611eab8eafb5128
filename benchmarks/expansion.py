"""10 million prompts with factors, 2,000 templates x 5,000 names, to Parquet on two cores.

Prints wall and CPU seconds (medians), peak memory of the whole process, and the
seconds of writing as many bytes as the prompts' texts have, uncompressed and
unstructured, in the same run: what the disk takes of it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--templates", type=int, default=2_000)
    arguments.add_argument("--names", type=int, default=5_000)
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    # Before the import, which counts the cores.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    from refusal_parity.expansion import write_prompts
    from refusal_parity.prompts import read_stimuli

    with tempfile.TemporaryDirectory() as folder:
        templates, names = Path(folder, "templates.csv"), Path(folder, "names.csv")
        output, copy = Path(folder, "prompts.parquet"), Path(folder, "copy")
        _write_templates(templates, given.templates)
        _write_names(names, given.names)
        walls, cpus, copies = [], [], []
        rows = text_bytes = 0
        for _ in range(given.repeats):
            wall, cpu = time.perf_counter(), time.process_time()
            stimuli = read_stimuli(templates, names)
            rows = write_prompts(stimuli.templates, stimuli.names, {"plain": None}, output)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
            # The longest of a prompt's own texts, and its id.
            text_bytes = rows * (len(_template(0)) + 28)
            copies.append(_seconds_to_write(copy, text_bytes))
        size = output.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"prompts         {rows:>12,}")
    print(f"wall            {statistics.median(walls):>12.2f} s   (to reach: 5 s)")
    print(f"CPU             {statistics.median(cpus):>12.2f} s")
    print(f"peak memory     {peak:>12.2f} GB  (to reach: 1 GB)")
    print(f"file            {size / 1e6:>12.0f} MB")
    print(f"writing {text_bytes / 1e6:,.0f} MB as they are: {statistics.median(copies):.2f} s")


def _template(number: int) -> str:
    return f"[NAME] is the person of sentence {number:06} who went to town to buy a [BLANK]"


def _write_templates(path: Path, count: int) -> None:
    """Matched sets of nine, as a study of wordings has them, and a covariate."""
    rows = (
        f"t{number:06},f{number % 8},{_template(number)},s{number // 9},w{number % 3},"
        f"o{number // 3 % 3},{number % 40}\n"
        for number in range(count)
    )
    header = "template_id,family,template,set,wording,form,length\n"
    path.write_text(header + "".join(rows), encoding="utf-8")


def _write_names(path: Path, count: int) -> None:
    rows = (
        f"n{number:06},Name{number},g{number % 8},{('woman', 'man')[number % 2]},common,"
        f"{number % 100 / 100},{number % 17 / 4},by hand,a person of g{number % 8}\n"
        for number in range(count)
    )
    header = "name_id,name,group,gender,commonness,p_group,log_frequency,source,mention\n"
    path.write_text(header + "".join(rows), encoding="utf-8")


def _seconds_to_write(path: Path, size: int) -> float:
    block = os.urandom(1 << 20)
    began = time.perf_counter()
    with path.open("wb") as file:
        for _ in range(size >> 20):
            file.write(block)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

from pathlib import Path

import polars as pl

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.forecast import Folders, stored_responses
from refusal_parity.pace import speeds
from refusal_parity.statistics.planning.lines import plan_lines
from refusal_parity.statistics.planning.staged import stage_lines
from refusal_parity.statistics.planning.table import planned_design
from refusal_parity.statistics.planning.weighing import weighing_design, weighing_plan_lines
from refusal_parity.tables import Prompts, StudyDesign, read_table, write_table
from refusal_parity.workload import PromptCount, workload_lines, workloads

with job("plan", snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    prompts = open_prompts(read_table(Prompts, Path(snakemake.input.prompts)))
    count = PromptCount.of_table(prompts)
    folders = {
        key: Folders(*(path and Path(path) for path in paths))
        for key, paths in snakemake.params.folders.items()
    }
    loads = workloads(study, count, stored_responses(study, prompts, folders))
    known = speeds(Path(snakemake.log[0]).parent, study.models)
    for line in workload_lines(loads, count, study.samples, known):
        say(line)
    plan = planned_design(prompts, study.analysis, samples=study.samples, say=say)
    weighing = weighing_design(plan, study, prompts=count.prompts)
    write_table(pl.concat([plan, weighing]), StudyDesign, Path(snakemake.output.plan))
    lines = plan_lines(plan, study.analysis.dimensions, arms=count.arms)
    lines += weighing_plan_lines(weighing, study)
    for line in [*lines, *stage_lines(study, arms=count.arms)]:
        say(line)

from pathlib import Path

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.statistics.planning import plan_lines, planned_design
from refusal_parity.tables import Prompts, StudyDesign, read_table, write_table

with job("plan", snakemake.log[0]) as say:
    plan = planned_design(
        read_table(Prompts, Path(snakemake.input.prompts)),
        AnalysisConfig.model_validate(snakemake.params.analysis),
        samples=snakemake.params.samples,
        say=say,
    )
    write_table(plan, StudyDesign, Path(snakemake.output.plan))
    for line in plan_lines(plan):
        say(line)

from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.planned import all_stimuli
from refusal_parity.stages import of_stage
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.precision import precisions
from refusal_parity.tables import Labels, Precision, Prompts, read_table, write_table

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    analysis, rule = study.analysis, study.analysis.stop_when
    stimuli = all_stimuli(study)
    observations = observe(
        read_table(Prompts, Path(snakemake.input.prompts)),
        read_table(Labels, Path(snakemake.input.labels)),
        analysis,
    )
    stages = [
        (rule.stages[stage - 1], of_stage(stimuli, analysis, rule, stage))
        for stage in range(1, rule.stage + 1)
    ]
    table = precisions(observations, analysis, stages, say)
    write_table(table, Precision, Path(snakemake.output.precision))

from pathlib import Path

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.planning.table import measured_design
from refusal_parity.tables import (
    Labels,
    Prompts,
    Propensity,
    StudyDesign,
    read_table,
    write_table,
)

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    propensity = snakemake.input.get("propensity")
    observations = observe(
        read_table(Prompts, Path(snakemake.input.prompts)),
        read_table(Labels, Path(snakemake.input.labels)),
        analysis,
        propensity=read_table(Propensity, Path(propensity)) if propensity else None,
    )
    design = measured_design(observations, analysis, say)
    write_table(design, StudyDesign, Path(snakemake.output.design))

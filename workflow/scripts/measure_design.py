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
    read_tables,
    write_table,
)

with job("design", snakemake.log[0]) as say:
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    observations = observe(
        read_table(Prompts, Path(snakemake.input.prompts)),
        read_tables(Labels, map(Path, snakemake.input.labels)),
        analysis,
        propensity=read_tables(Propensity, map(Path, snakemake.input.propensity)),
    )
    design = measured_design(observations, analysis, say)
    write_table(design, StudyDesign, Path(snakemake.output.design))

from pathlib import Path

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.tables import (
    Comparison,
    Labels,
    Prompts,
    read_table,
    read_tables,
    write_table,
)

with job("comparison", snakemake.log[0]) as say:
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    observations = observe(
        read_table(Prompts, Path(snakemake.input.prompts)),
        read_tables(Labels, map(Path, snakemake.input.labels)),
        analysis,
    )
    comparison = compare(observations, analysis, snakemake.params.models, say)
    write_table(comparison, Comparison, Path(snakemake.output.comparison))

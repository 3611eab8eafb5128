from pathlib import Path

from refusal_parity.config import AnalysisConfig, arms_of
from refusal_parity.console import job
from refusal_parity.statistics.arm_rates import safeguard_rates
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.safeguards import safeguards, with_kind
from refusal_parity.tables import (
    Labels,
    Prompts,
    SafeguardRates,
    Safeguards,
    read_table,
    read_tables,
    write_table,
)

with job("safeguards", snakemake.log[0]) as say:
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    labels = read_tables(Labels, map(Path, snakemake.input.labels))
    observations = with_kind(observe(prompts, labels, analysis, everything=True), prompts)
    arms = arms_of(snakemake.params.arms)
    write_table(
        safeguard_rates(observations, analysis, say),
        SafeguardRates,
        Path(snakemake.output.rates),
    )
    write_table(
        safeguards(observations, analysis, arms, say),
        Safeguards,
        Path(snakemake.output.safeguards),
    )

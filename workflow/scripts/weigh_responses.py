from pathlib import Path

from refusal_parity.config import SamplingConfig, load_config
from refusal_parity.console import job
from refusal_parity.openings.weighing import counts_of, weigh
from refusal_parity.tables import (
    LeafLabels,
    OpeningProbabilities,
    Openings,
    Propensity,
    Weighed,
    read_table,
    write_table,
)

key = snakemake.wildcards.model
model = load_config(snakemake.config, where="the config").models[key]

with job(key, snakemake.log[0]) as say:
    sampling = SamplingConfig.model_validate(snakemake.params.sampling)
    found = weigh(
        read_table(Openings, Path(snakemake.input.openings)),
        read_table(OpeningProbabilities, Path(snakemake.input.probabilities)),
        read_table(Propensity, Path(snakemake.input.propensity)),
        read_table(LeafLabels, Path(snakemake.input.labels)),
        longest=sampling.most_tokens(model),
    )
    counts = counts_of(found)
    say(counts.sentence())
    write_table(found, Weighed, Path(snakemake.output.weighed), metadata=vars(counts))

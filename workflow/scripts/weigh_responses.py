from pathlib import Path

from refusal_parity.config import SamplingConfig, load_config
from refusal_parity.console import job
from refusal_parity.openings.strata import CONTINUED
from refusal_parity.openings.weighing import counts_of, weigh
from refusal_parity.tables import (
    LeafLabels,
    OpeningProbabilities,
    Openings,
    Propensity,
    Weighed,
    empty,
    read_table,
    write_table,
)

key = snakemake.wildcards.model
study = load_config(snakemake.config, where="the config")
model = study.models[key]

labels = snakemake.input.get("labels")

with job(key, snakemake.log[0]) as say:
    sampling = SamplingConfig.model_validate(snakemake.params.sampling)
    found = weigh(
        read_table(Openings, Path(snakemake.input.openings)),
        read_table(OpeningProbabilities, Path(snakemake.input.probabilities)),
        read_table(Propensity, Path(snakemake.input.propensity)),
        read_table(LeafLabels, Path(labels)) if labels else empty(LeafLabels),
        longest=sampling.most_tokens(model),
        continued=CONTINUED if key in study.continued else 0.0,
    )
    counts = counts_of(found)
    say(counts.sentence())
    write_table(found, Weighed, Path(snakemake.output.weighed), metadata=vars(counts))

from pathlib import Path

from refusal_parity.config import SamplingConfig, load_config
from refusal_parity.console import job
from refusal_parity.openings.standing import responses_weighed
from refusal_parity.openings.strata import CONTINUED
from refusal_parity.openings.weighing import counts_of, weigh
from refusal_parity.tables import (
    DrawnOpenings,
    Labels,
    LeafLabels,
    OpeningProbabilities,
    Openings,
    Propensity,
    Weighed,
    WeighedResponses,
    empty,
    read_table,
    write_table,
)

key = snakemake.wildcards.model
study = load_config(snakemake.config, where="the config")
model = study.models[key]

given = snakemake.input.get("leaf_labels")

with job(key, snakemake.log[0]) as say:
    sampling = SamplingConfig.model_validate(snakemake.params.sampling)
    measured = [
        read_table(Openings, Path(snakemake.input.openings)),
        read_table(OpeningProbabilities, Path(snakemake.input.probabilities)),
        read_table(Propensity, Path(snakemake.input.propensity)),
    ]
    leaf_labels = read_table(LeafLabels, Path(given)) if given else empty(LeafLabels)
    how = {
        "longest": sampling.most_tokens(model),
        "continued": CONTINUED if key in study.continued else 0.0,
    }
    found = weigh(*measured, leaf_labels, **how)
    counts = counts_of(found)
    say(counts.sentence())
    write_table(found, Weighed, Path(snakemake.output.weighed), metadata=vars(counts))
    responses = responses_weighed(
        *measured,
        read_table(DrawnOpenings, Path(snakemake.input.drawn)),
        read_table(Labels, Path(snakemake.input.labels)),
        leaf_labels,
        **how,
    )
    write_table(responses, WeighedResponses, Path(snakemake.output.responses))

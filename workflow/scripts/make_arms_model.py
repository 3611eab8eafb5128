from pathlib import Path

from refusal_parity.console import job
from refusal_parity.demo.arms_recipe import make_arms_model

with job(snakemake.wildcards.armed, snakemake.log[0]):
    given = snakemake.input
    make_arms_model(
        snakemake.wildcards.armed,
        names=Path(given.names),
        templates=[Path(path) for path in given.templates],
        phrases=Path(given.phrases),
        directory=Path(snakemake.output.weights).parent,
    )

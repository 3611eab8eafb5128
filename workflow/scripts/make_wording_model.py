from pathlib import Path

from refusal_parity.console import job
from refusal_parity.demo.wording_recipe import Files, make_wording_model

with job(snakemake.wildcards.worded, snakemake.log[0]):
    given = snakemake.input
    make_wording_model(
        snakemake.wildcards.worded,
        Files(
            names=Path(given.names),
            templates=Path(given.templates),
            phrases=Path(given.phrases),
        ),
        Path(snakemake.output.weights).parent,
    )

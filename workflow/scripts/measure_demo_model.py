from pathlib import Path

from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.demo.measure import measure, write_realised
from refusal_parity.demo.phrases import read_phrases, read_templates
from refusal_parity.demo.truth import planted_rows

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    templates = read_templates(Path(snakemake.input.templates))
    rows = measure(
        Path(snakemake.input.weights).parent,
        planted_rows(snakemake.wildcards.model, Path(snakemake.input.names)),
        templates,
        read_phrases(Path(snakemake.input.phrases), list(templates)),
        samples=snakemake.params.samples,
    )
    write_realised(rows, Path(snakemake.output.realised))
    say(counted(sum(row.samples for row in rows), "response"))

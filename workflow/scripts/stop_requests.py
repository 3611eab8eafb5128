from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.guards.classifier import load_guard
from refusal_parity.guards.stopping import stop_requests, stops_sentence
from refusal_parity.tables import GuardStops, Prompts, Responses, read_table, write_table

with job("guards", snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    paths = snakemake.input
    stops = stop_requests(
        read_table(Prompts, Path(paths.prompts)),
        study.prompts.arms,
        study.guards,
        trained={
            key: load_guard(Path(path))
            for key, path in zip(snakemake.params.trained, paths.trained, strict=True)
        },
        answers={
            key: read_table(Responses, Path(path))
            for key, path in zip(snakemake.params.asked, paths.answers, strict=True)
        },
    )
    write_table(stops, GuardStops, Path(snakemake.output.stops))
    say(stops_sentence(stops))

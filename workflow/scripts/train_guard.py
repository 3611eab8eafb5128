from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.guards.classifier import save_guard, train_guard

with job(f"guard {snakemake.wildcards.guard}", snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    guard = train_guard(
        study.guards[snakemake.wildcards.guard],
        harmful=[Path(path) for path in snakemake.input.harmful],
        harmless=[Path(path) for path in snakemake.input.harmless],
    )
    save_guard(guard, Path(snakemake.output.guard))
    say(f"learned from {counted(len(guard.half_of), 'template')}, each half judged by the other")

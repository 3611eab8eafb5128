from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.tables import Training, read_table, write_table
from refusal_parity.training.job import TrainingJob
from refusal_parity.training.lessons import Account
from refusal_parity.training.libraries import training_module

key = snakemake.wildcards.variant
template = snakemake.input.get("chat_template")

with job(key, snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    say("loading what trains")
    training = training_module()
    account = Account.of(read_table(Training, Path(snakemake.input.account)))
    training.train_variant(
        TrainingJob(
            key=key,
            variant=study.train.variants[key],
            base=Path(snakemake.input.folder),
            chat_template=Path(template) if template else None,
            lessons=Path(snakemake.input.lessons),
            checkpoints=Path(snakemake.params.checkpoints),
            threads=snakemake.threads,
        ),
        Path(snakemake.output.weights),
        account,
        say,
    )
    write_table(account.table(key), Training, Path(snakemake.output.account))

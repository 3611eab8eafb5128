from pathlib import Path

from refusal_parity.config import PairsFile
from refusal_parity.console import job
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.tables import Lessons, Training, write_parts, write_table
from refusal_parity.training.lessons import Account, choose_lessons

key = snakemake.wildcards.variant

with job(key, snakemake.log[0]) as say:
    account = Account()
    data = snakemake.params.data
    lessons = choose_lessons(
        {name: PairsFile.model_validate(file) for name, file in data.items()},
        dict(zip(data, snakemake.input.files, strict=True)),
        lexicon=read_lexicon(Path(snakemake.input.lexicon)),
        without=list(snakemake.params.without),
        account=account,
    )
    write_parts(lessons, Lessons, Path(snakemake.output.lessons))
    write_table(account.table(key), Training, Path(snakemake.output.account))
    say(account.sentence())

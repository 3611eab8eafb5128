from pathlib import Path

from refusal_parity.console import job
from refusal_parity.judging.judgements import judged_words, read_judgements
from refusal_parity.judging.people import what_people_say
from refusal_parity.judging.questions import questions_of
from refusal_parity.tables import (
    HumanLabels,
    Judgements,
    Prompts,
    Responses,
    read_table,
    write_table,
)

with job(f"judge of {snakemake.wildcards.model}", snakemake.log[0]) as say:
    responses = read_table(Responses, Path(snakemake.input.responses))
    human = snakemake.input.human
    judgements = read_judgements(
        read_table(Responses, Path(snakemake.input.answers)),
        questions_of(responses, read_table(Prompts, Path(snakemake.input.prompts))),
        what_people_say(responses, read_table(HumanLabels, Path(human)) if human else None),
        snakemake.params.judge_id,
    )
    write_table(judgements, Judgements, Path(snakemake.output.judgements))
    say(judged_words(judgements))

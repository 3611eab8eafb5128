from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.inference.store.anew import wanted_anew
from refusal_parity.inference.store.responses import STORE
from refusal_parity.judging.questions import judge_sampling
from refusal_parity.preference.judge import PAIR_SCHEMA, judged_pairs, pair_questions
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.preference.pairs import PART
from refusal_parity.tables import Conversations, Mentions, Pairs, read_parts, read_table

study = load_config(snakemake.config, where="the config")
given, output = snakemake.input, Path(snakemake.output.answers)
adapter = given.get("adapter")

with job("judge", snakemake.log[0]) as say:
    asked = judged_pairs(
        read_table(Conversations, Path(given.conversations))["pair"],
        read_table(Mentions, Path(given.mentions)),
        mentioned_in=snakemake.params.mentioned_in,
        others=snakemake.params.others,
    )
    say(f"asking which answer is better of {counted(len(asked), 'pair')}, in both orders")
    parts = read_parts(Pairs, Path(given.pairs), PART)
    run_job(
        InferenceJob(
            key="judge",
            model=study.labelling.judge,
            folder=Path(given.get("folder", "")),
            samples=1,
            sampling=judge_sampling(study.labelling.judge_max_tokens),
            adapter=Path(adapter) if adapter else None,
            threads=snakemake.threads,
            store=Path(study.results) / STORE,
            since=wanted_anew(snakemake.rule, output),
            schema=PAIR_SCHEMA,
        ),
        pair_questions(parts, asked, read_lexicon(Path(given.lexicon))),
        output,
        say=say,
    )

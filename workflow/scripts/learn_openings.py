from pathlib import Path

from refusal_parity.config import engine_of, load_config
from refusal_parity.console import job
from refusal_parity.counting import agreed, counted
from refusal_parity.openings.earlier import Earlier, earlier_responses, held_apart
from refusal_parity.openings.learnt import learnt_from, sentence_of
from refusal_parity.openings.pilot import read_pilot, trees
from refusal_parity.openings.propensity import ALL
from refusal_parity.openings.worth import tokens_of, worth
from refusal_parity.tables import (
    Labels,
    Openings,
    Pilots,
    Prompts,
    Responses,
    read_table,
    write_table,
)

key = snakemake.wildcards.model
study = load_config(snakemake.config, where="the config")
model = study.models[key]
folder = Path(snakemake.input.get("folder", ""))

with job(key, snakemake.log[0]) as say:
    speaker = engine_of(model).module().speaker(key, model, folder)
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    own = Path(snakemake.input.responses)
    if study.pilot is None:
        labels = read_table(Labels, Path(snakemake.input.labels))
        learnt = Earlier(key, prompts, read_table(Responses, own), labels)
    else:
        learnt = earlier_responses(Path(study.results), study.pilot, own)
    pilot = read_pilot(learnt.prompts, learnt.responses, learnt.labels, speaker)
    # Responses of its own have their own folds.
    apart = None if study.pilot is None else held_apart(learnt.prompts, prompts)
    openings = trees(pilot, speaker, apart)
    found = worth(
        pilot,
        openings if apart is None else trees(pilot, speaker),
        samples=study.samples,
        tokens=tokens_of(learnt.responses),
        continued=key in study.continued,
    )
    drawn = found and found.why_drawn()
    if drawn:
        openings = openings.clear()
    row = learnt_from(
        *(pilot, openings, apart),
        model=key,
        study=study.pilot,
        there=learnt.model,
        drawn=drawn,
    )
    said = row.row(0, named=True)
    say(sentence_of(said))
    leaves = openings.filter(fold=ALL)
    say(
        f"nothing is weighed: {said['note']}"
        if said["note"]
        else f"{counted(len(leaves), 'opening')} {agreed(len(leaves), 'holds', 'hold')} "
        f"{leaves['refusals'].sum():,} of {counted(said['refusals'], 'refusal')}, among "
        f"{counted(said['responses'], 'labelled response')}"
    )
    write_table(row, Pilots, Path(snakemake.output.pilot))
    write_table(
        openings,
        Openings,
        Path(snakemake.output.openings),
        metadata={key: said[key] for key in ("responses", "refusals", "study")}
        | {"empty": said["note"]},
    )

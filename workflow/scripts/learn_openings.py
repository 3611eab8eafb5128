from pathlib import Path

from refusal_parity.config import engine_of, load_config
from refusal_parity.console import job
from refusal_parity.counting import agreed, counted
from refusal_parity.openings.pilot import read_pilot, trees
from refusal_parity.openings.propensity import ALL
from refusal_parity.tables import Labels, Openings, Prompts, Responses, read_table, write_table

key = snakemake.wildcards.model
model = load_config(snakemake.config, where="the config").models[key]
folder = Path(snakemake.input.get("folder", ""))

with job(key, snakemake.log[0]) as say:
    speaker = engine_of(model).module().speaker(key, model, folder)
    pilot = read_pilot(
        read_table(Prompts, Path(snakemake.input.prompts)),
        read_table(Responses, Path(snakemake.input.responses)),
        read_table(Labels, Path(snakemake.input.labels)),
        speaker,
    )
    openings = trees(pilot, speaker)
    found = openings.filter(fold=ALL)
    refusals = int(pilot.rows["refuses"].sum())
    labelled = counted(len(pilot.rows), "labelled response")
    empty = pilot.empty
    if empty is None and found.is_empty():
        empty = (
            f"{refusals:,} of {labelled} {agreed(refusals, 'refuses', 'refuse')}, and no opening "
            "is that of refusals to two templates"
        )
    say(
        f"no opening of refusals is known: {empty}"
        if empty
        else f"{counted(len(found), 'opening')} {agreed(len(found), 'holds', 'hold')} "
        f"{found['refusals'].sum():,} of {counted(refusals, 'refusal')}, among {labelled}"
    )
    write_table(
        openings,
        Openings,
        Path(snakemake.output.openings),
        metadata={"responses": len(pilot.rows), "refusals": refusals, "empty": empty},
    )

from pathlib import Path

from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.labelling.classifier import train
from refusal_parity.labelling.evaluation import cross_validate, write_evaluation
from refusal_parity.labelling.folds import predict_out_of_fold
from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.storage import save

with job("classifier", snakemake.log[0]) as say:
    seed = snakemake.params.seed
    gold = read_gold([Path(path) for path in snakemake.input.gold])
    say(f"learning from {counted(len(gold), 'labelled response')}")
    held_out = predict_out_of_fold(gold, seed)
    evaluation = cross_validate(gold, seed, held_out=held_out)
    save(train(gold, seed, held_out=held_out), Path(snakemake.output.classifier))
    write_evaluation(evaluation, Path(snakemake.output.evaluation))
    say(evaluation.agreement.sentence("held-out rows"))

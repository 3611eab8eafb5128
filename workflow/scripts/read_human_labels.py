from pathlib import Path

from refusal_parity.audit.adjudication import open_rows, write_adjudication
from refusal_parity.audit.human_labels import human_labels, read_votes, report_problems
from refusal_parity.console import job
from refusal_parity.tables import (
    AuditSample,
    HumanLabels,
    LeafHumanLabels,
    LeafSample,
    LeafVoteProblems,
    LeafVotes,
    VoteProblems,
    Votes,
    read_table,
    write_table,
)

leaves = snakemake.params.get("leaves", False)
sampled, problems, voted, said = (
    (LeafSample, LeafVoteProblems, LeafVotes, LeafHumanLabels)
    if leaves
    else (AuditSample, VoteProblems, Votes, HumanLabels)
)

with job("human labels", snakemake.log[0]) as say:
    sample = read_table(sampled, Path(snakemake.input.sample))
    files = [Path(path) for path in snakemake.input.files]
    ballot = read_votes(files, sample)
    report_problems(ballot, sample, say=say)
    rows = open_rows(ballot.votes, sample, show_votes=snakemake.params.show_votes)
    key = "labelling.human.leaf_labels" if leaves else "labelling.human.labels"
    write_adjudication(rows, Path(snakemake.params.sheets), labelled=files, say=say, key=key)
    write_table(ballot.problems, problems, Path(snakemake.output.problems))
    write_table(ballot.votes, voted, Path(snakemake.output.votes))
    write_table(human_labels(ballot.votes, sample, said), said, Path(snakemake.output.human))

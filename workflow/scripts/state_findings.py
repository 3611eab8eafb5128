from dataclasses import fields
from pathlib import Path

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.factors import take_up
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.tables import TABLES, Findings, Prompts, read_table, read_tables, write_table

with job("findings", snakemake.log[0]):
    evidence = {
        table.name: read_tables(TABLES[table.name].schema, map(Path, snakemake.input[table.name]))
        for table in fields(Evidence)
    }
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    take_up(read_table(Prompts, Path(snakemake.input.prompts)), analysis.dimensions)
    stated = findings(Evidence(**evidence), analysis)
    write_table(stated, Findings, Path(snakemake.output.findings))

from pathlib import Path

from refusal_parity import tables
from refusal_parity.config import StudyConfig
from refusal_parity.console import job
from refusal_parity.files import write_text
from refusal_parity.inference.provenance import package_versions
from refusal_parity.report.figures import draw_all, save_figures
from refusal_parity.report.files import ANALYSIS_PACKAGES, export_tables
from refusal_parity.report.inputs import ReportInputs
from refusal_parity.report.page import write_report
from refusal_parity.report.summary import summary_lines
from refusal_parity.repository import git_commit

with job("report", snakemake.log[0]) as say:
    given, made = snakemake.input, snakemake.output
    inputs = ReportInputs(
        config=StudyConfig.model_validate(snakemake.params.study),
        **{
            key: tables.read_tables(table.schema, map(Path, given[key]))
            for key, table in tables.EXPORTED.items()
        },
        provenance={
            model: tables.read_metadata(Path(path))
            for model, path in zip(snakemake.params.models, given.responses, strict=True)
        },
        versions=package_versions(ANALYSIS_PACKAGES),
        git_commit=git_commit(),
    )
    export_tables(inputs, Path(made.tables))
    drawings = draw_all(inputs)
    save_figures(drawings, Path(made.figures))
    write_report(inputs, Path(made.report), drawings=drawings)
    write_text(Path(made.summary), "\n".join(summary_lines(inputs, Path(made.report))) + "\n")

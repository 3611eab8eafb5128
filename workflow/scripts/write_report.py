from pathlib import Path

from refusal_parity import tables
from refusal_parity.config import StudyConfig
from refusal_parity.console import job
from refusal_parity.files import write_text
from refusal_parity.inference.provenance import package_versions
from refusal_parity.report.figures import draw_figures
from refusal_parity.report.inputs import ReportInputs
from refusal_parity.report.page import write_report
from refusal_parity.report.summary import summary_lines
from refusal_parity.repository import git_commit

with job("report", snakemake.log[0]) as say:
    given, made = snakemake.input, snakemake.output
    inputs = ReportInputs(
        config=StudyConfig.model_validate(snakemake.params.study),
        prompts=tables.read_table(tables.Prompts, Path(given.prompts)),
        labels=tables.read_tables(tables.Labels, map(Path, given.labels)),
        rates=tables.read_tables(tables.Rates, map(Path, given.rates)),
        disparity=tables.read_tables(tables.Disparity, map(Path, given.disparity)),
        exclusions=tables.read_tables(tables.Exclusions, map(Path, given.exclusions)),
        overview=tables.read_table(tables.Overview, Path(given.overview)),
        comparison=tables.read_table(tables.Comparison, Path(given.comparison)),
        influence=tables.read_tables(tables.Influence, map(Path, given.influence)),
        lengths=tables.read_tables(tables.Lengths, map(Path, given.lengths)),
        human=tables.read_table(tables.HumanLabels, Path(given.human)) if given.human else None,
        provenance={
            model: tables.read_metadata(Path(path))
            for model, path in zip(snakemake.params.models, given.responses, strict=True)
        },
        versions=package_versions(),
        git_commit=git_commit(),
    )
    draw_figures(inputs, Path(made.figures))
    write_report(inputs, Path(made.report))
    write_text(Path(made.summary), "\n".join(summary_lines(inputs, Path(made.report))) + "\n")

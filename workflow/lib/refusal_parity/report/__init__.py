"""Figures and the page that people look at, made from a study's tables."""

from refusal_parity.report.figures import draw_all, save_figures
from refusal_parity.report.inputs import ReportInputs
from refusal_parity.report.page import write_report
from refusal_parity.report.summary import summary_lines

__all__ = [
    "ReportInputs",
    "draw_all",
    "save_figures",
    "summary_lines",
    "write_report",
]

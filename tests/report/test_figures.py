from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from report_study import changed, config_of

from refusal_parity.report.drawing import inline_svg, save_figure, stem_of
from refusal_parity.report.figure_comparison import draw_comparison, group_rates
from refusal_parity.report.figure_differences import draw_differences
from refusal_parity.report.figure_labels import draw_labels, label_shares
from refusal_parity.report.figure_names import draw_names, names_by_group
from refusal_parity.report.figure_rates import draw_rates
from refusal_parity.report.figures import draw_all, save_figures
from refusal_parity.report.pooled import pooled_notes
from refusal_parity.report.style import figure_style
from refusal_parity.tables import TABLES, Disparity, Labels, Overview, Pooled, Prompts, Rates
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs

UNUSUAL = ["🧕 Nour", "نور", "美玲", "$x^2$ & <b>", "a\x00b\u202ec", "Ọlá"]


def renamed(inputs: ReportInputs) -> ReportInputs:
    """The names of one group in scripts that no bundled font has all of."""
    names = inputs[Prompts].filter(pl.col("group") == "muslim")["name"].unique().to_list()
    swap = dict(zip(names, UNUSUAL, strict=False))
    return changed(inputs, prompts=inputs[Prompts].with_columns(pl.col("name").replace(swap)))


def test_figures_are_saved_in_three_formats_under_plain_names(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    model = inputs.models[1]
    tables = ("rates", "pooled", "disparity", "overview", "exclusions", "labels")
    one = {table: inputs[TABLES[table].schema].filter(pl.col("model") == model) for table in tables}
    study = changed(inputs, config=config_of([model]), **one)
    files = save_figures(draw_all(study), tmp_path)
    assert {file.kind for file in files} == {
        "rates", "labels", "differences", "names", "templates",
    }  # fmt: skip
    for file in files:
        for suffix, begins in (("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")):
            assert (tmp_path / f"{file.stem}.{suffix}").read_bytes().startswith(begins)
        assert file.svg == (tmp_path / f"{file.stem}.svg").read_bytes()
        assert not file.figure.axes
        assert file.alt
    assert len(list(tmp_path.iterdir())) == 3 * len(files)


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_same_figure_same_bytes(inputs: ReportInputs, tmp_path: Path, suffix: str) -> None:
    for folder in ("one", "two"):
        with figure_style():
            drawing = draw_rates(inputs, "demo-guarded")
        save_figure(drawing, tmp_path / folder / "rates")
    one, two = ((tmp_path / folder / f"rates.{suffix}").read_bytes() for folder in ("one", "two"))
    assert one == two


@pytest.mark.filterwarnings("error")
def test_any_script_can_be_drawn(inputs: ReportInputs, tmp_path: Path) -> None:
    study = renamed(inputs)
    with figure_style():
        drawing = draw_names(study, "demo-guarded")
    save_figure(drawing, tmp_path / "names")
    assert (tmp_path / "names.png").stat().st_size > 10_000


def test_style_leaves_the_callers_settings_alone(inputs: ReportInputs) -> None:
    before = dict(mpl.rcParams)
    with figure_style():
        draw_rates(inputs, "demo-even")
        assert dict(mpl.rcParams) != before
    assert dict(mpl.rcParams) == before


def test_each_name_has_a_row_under_its_group(inputs: ReportInputs) -> None:
    groups = names_by_group(inputs, "demo-guarded")
    assert list(groups) == inputs.levels("group")
    assert {len(names) for names in groups.values()} == {8}
    with figure_style():
        axes = draw_names(inputs, "demo-guarded").figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    facts = inputs.name_facts()
    assert labels == [facts[row["key"]]["name"] for names in groups.values() for row in names]
    dots = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [line.get_xdata()[0] for line in dots] == [
        row["pooled"] for names in groups.values() for row in names
    ]


def test_of_very_many_names_the_figure_names_groups_alone(inputs: ReportInputs) -> None:
    many = inputs[Pooled].filter(unit="name")
    copies = [many.with_columns(key=pl.format("{}-{}", "key", pl.lit(at))) for at in range(3)]
    with figure_style():
        drawing = draw_names(changed(inputs, pooled=pl.concat(copies)), "demo-even")
        few = draw_names(inputs, "demo-even")
    axes = drawing.figure.axes[0]
    assert len(axes.get_yticks()) == 0
    assert {text.get_text() for text in axes.texts} == set(inputs.levels("group"))
    assert drawing.figure.get_figheight() < 1.1 * few.figure.get_figheight()
    assert "The table of names has the rate of each." in drawing.alt


def test_names_without_an_estimate_show_their_rate(inputs: ReportInputs) -> None:
    gone = inputs[Pooled].with_columns(
        *(pl.lit(None, pl.Float64).alias(key) for key in ("pooled", "pooled_low", "pooled_high")),
        note=pl.lit("not estimable: the outcome does not vary"),
    )
    study = changed(inputs, pooled=gone)
    with figure_style():
        drawing = draw_names(study, "demo-even")
    marks = [line for line in drawing.figure.axes[0].lines if line.get_marker() == "|"]
    assert len([line for line in marks if len(line.get_xdata())]) == 56
    assert "no pooled rates" in drawing.alt
    assert pooled_notes(study) == [
        f"{model}: pooled rates are not estimable: the outcome does not vary."
        for model in study.models
    ]


def test_marks_at_the_edges_of_the_rates_are_whole(inputs: ReportInputs) -> None:
    drawing = draw_rates(inputs, "demo-even")
    marks = [line for line in drawing.figure.axes[0].lines if line.get_marker() == "o"]
    assert marks
    assert not any(mark.get_clip_on() for mark in marks)


def test_comparison_names_the_extremes(inputs: ReportInputs) -> None:
    rates = group_rates(inputs, "demo-guarded")
    row = inputs[Overview].row(
        by_predicate=(pl.col("model") == "demo-guarded") & (pl.col("outcome") == "refusal"),
        named=True,
    )
    assert rates[0] == (row["lowest_group"], row["lowest_rate"])
    assert rates[-1] == (row["highest_group"], row["highest_rate"])
    drawing = draw_comparison(inputs)
    assert drawing is not None
    texts = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert {row["lowest_group"], row["highest_group"]} <= set(texts)
    assert f"{100 * row['spread']:.1f}" in texts


def test_comparison_of_levels_some_of_which_have_no_rate(inputs: ReportInputs) -> None:
    first, *_ = group_rates(inputs, "demo-even")
    for number, words in (
        (1, f"demo-even {100 * first.rate:.1f} % ({first.group}, the only one with"),
        (0, "demo-even not estimable"),
    ):
        is_kept = pl.col("group").is_in([first.group][:number])
        is_gone = (pl.col("model") == "demo-even") & ~is_kept
        rates = inputs[Rates].with_columns(rate=pl.when(~is_gone).then("rate"))
        drawing = draw_comparison(changed(inputs, rates=rates))
        assert drawing is not None
        assert words in drawing.alt
        assert "0.0" not in [text.get_text() for text in drawing.figure.axes[0].texts]


def test_one_model_is_compared_with_nothing(inputs: ReportInputs) -> None:
    tables = ("rates", "pooled", "disparity", "exclusions")
    one = {
        name: inputs[TABLES[name].schema].filter(pl.col("model") == "demo-even") for name in tables
    }
    study = changed(inputs, config=config_of(["demo-even"]), **one)
    assert draw_comparison(study) is None


def test_forest_plot_shows_both_scopes(inputs: ReportInputs) -> None:
    def intervals(study: ReportInputs) -> int:
        with figure_style():
            drawing = draw_differences(study, "demo-guarded")
        lines = drawing.figure.axes[0].get_lines()
        return sum(len(line.get_xdata()) == 2 and line.get_ydata()[0] % 1 > 0.2 for line in lines)

    fits = inputs[Disparity].filter(pl.col("method").cast(pl.String) == "ols_cr2_two_way")
    by_name = fits.with_columns(
        method=pl.lit("ols_cr2_name").cast(fits.schema["method"]),
        scope=pl.lit(Scope.NEW_NAMES).cast(fits.schema["scope"]),
    )
    assert intervals(inputs) == 0
    both = changed(inputs, disparity=pl.concat([inputs[Disparity], by_name]))
    assert intervals(both) == 6


def test_label_shares_add_up_over_labelled_responses(inputs: ReportInputs) -> None:
    shares = label_shares(inputs, "demo-guarded")
    assert list(shares) == inputs.levels("group")
    for of_group in shares.values():
        assert sum(of_group.values()) == pytest.approx(1)


@pytest.mark.parametrize("lost", [[], ["muslim"], ["muslim", "white"]], ids=len)
def test_groups_of_whom_nothing_counts_keep_their_row_among_the_labels(
    inputs: ReportInputs, lost: list[str]
) -> None:
    gone = inputs[Prompts].filter(pl.col("group").is_in(lost))["prompt_id"].implode()
    labels = inputs[Labels].with_columns(
        label=pl.when(~pl.col("prompt_id").is_in(gone)).then("label"),
        filtered=pl.col("filtered") & ~pl.col("prompt_id").is_in(gone),
    )
    with figure_style():
        drawing = draw_labels(changed(inputs, labels=labels), "demo-even")
    assert drawing is not None
    axes = drawing.figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == inputs.levels("group")
    assert [text.get_text() for text in axes.texts] == ["no response that counts"] * len(lost)
    assert all(f"{group}: no response that counts" in drawing.alt for group in lost)
    assert drawing.alt.count("no response that counts") == len(lost)


def test_inline_svg_follows_the_page(inputs: ReportInputs) -> None:
    with figure_style():
        drawing = draw_rates(inputs, "demo-guarded")
    one, two = (ET.fromstring(inline_svg(drawing, prefix)) for prefix in ("f1", "f2"))  # noqa: S314
    ids = [{element.get("id") for element in root.iter()} - {None} for root in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    used = {element.get("href", "#")[1:] for element in one.iter("use")}
    assert used <= ids[0]
    styles = " ".join(element.get("style", "") for element in one.iter())
    assert "var(--ink)" in styles
    assert "var(--accent)" in styles
    assert not {"style", "metadata", "script", "image"} & {element.tag for element in one.iter()}


@pytest.mark.parametrize(
    ("model", "stem"),
    [
        ("demo-even", "rates-demo-even"),
        ("../../etc/x", "rates-.._.._etc_x".replace("rates-..", "rates-")),
        ("نور", "rates-_"),
        ("...", "rates-model"),
    ],
)
def test_stem_is_safe_as_a_path(model: str, stem: str) -> None:
    assert stem_of("rates", model) == stem


def test_no_text_is_cut_off_by_the_figures_edge(inputs: ReportInputs) -> None:
    with figure_style():
        for drawing in draw_all(inputs):
            figure = drawing.figure
            figure.set_dpi(mpl.rcParams["savefig.dpi"])
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            axes = figure.axes[0]
            # Ticks beyond an axis' end are among the labels but not drawn.
            for text in (*axes.get_yticklabels(), *axes.texts, *figure.texts):
                box = text.get_window_extent(canvas.get_renderer())
                assert box.x0 > -1, (drawing.stem, text.get_text())
                assert box.x1 < figure.bbox.width + 1, (drawing.stem, text.get_text())

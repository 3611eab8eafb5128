"""What the page says of a study is true of that study, or not said."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from report_study import changed
from report_tables import disparity_row
from whole_study import WholeStudy, measure
from worded_study import BIG, pair, rate, study, whole

from refusal_parity.outcomes import Outcome
from refusal_parity.report.cautions import contrast_note
from refusal_parity.report.figure_templates import template_words
from refusal_parity.report.page import render_page
from refusal_parity.report.payload import responses_of
from refusal_parity.report.pooled import names_table
from refusal_parity.report.sections import selfcheck
from refusal_parity.report.summary import summary_lines
from refusal_parity.report.views import crossed_table
from refusal_parity.report.wording import rate_sentence, statement
from refusal_parity.tables import Pooled, Prompts, Rates, SelfCheck, conform

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs

NAMES = {
    "north": {f"N{at}": "man" for at in range(4)},
    "south": {f"S{at}": "man" for at in range(4)},
}
ARMS = {"bare": None, "stern": "Obey."}


def words(inputs: ReportInputs) -> str:
    """All text of the page without figures."""
    page = render_page(inputs, drawings=[])
    body = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", body)).replace("\u00a0", " ").split())


def of_rates(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return conform(pl.DataFrame(rows, infer_schema_length=None), Rates, where="rates")


def told(inputs: ReportInputs, dimension: str = "group") -> str:
    found = statement(inputs, "m", Outcome.REFUSAL, dimension)
    return " ".join([found.lead, *found.details])


def sometimes(_: str, group: str, name: str, at: int) -> str:
    return "r" if (int(name[1:]) + at + (group == "south")) % 3 == 0 else "a"


@pytest.fixture(scope="module")
def one_sample(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    """Questions beside completions, one sample, families that are forms."""
    made = WholeStudy(
        groups=NAMES, say=sometimes, templates=("question", "plain", "plain", "question"),
        analysis={"dimensions": {"group": {"reference": "north"},
                                 "family": {"reference": "plain"}}},
    )  # fmt: skip
    inputs = measure(made, tmp_path_factory.mktemp("one"))
    asked = pl.col("family") == "question"
    text = pl.when(asked).then(pl.lit("What does [NAME] do?")).otherwise(pl.lit("[NAME] [BLANK]"))
    return inputs.with_tables({Prompts: inputs[Prompts].with_columns(template=text)})


def test_only_what_is_known_of_the_prompts_is_said(one_sample: ReportInputs) -> None:
    said = words(one_sample)
    assert "2 of the templates leave a [BLANK] for the model to fill." in said
    for claim in ("harmless completion", "stereotypes a template touches", "nearly copies"):
        assert claim not in said
    assert "group_gender" not in said


def test_templates_stand_as_their_file_has_them() -> None:
    text = "[NAME] is packing for a trip to [BLANK]"
    assert template_words("t", {"t": {"template": text}}) == text


@pytest.mark.parametrize(
    ("dimension", "levels"),
    [("group", "groups"), ("arm", "system prompts"), ("family", "template families"),
     ("group_gender", "groups and genders")],
)  # fmt: skip
def test_what_is_compared_is_called_by_its_name(dimension: str, levels: str) -> None:
    changes = {"dimension": dimension}
    tests = [row | changes for row in pair(**BIG, p_adjusted=0.3)]
    rates = [rate("m", level, dimension=dimension) for level in ("muslim", "white")]
    inputs = study(tests, rates, dimension=dimension)
    assert told(inputs, dimension).startswith(f"No difference between {levels} was shown for new")
    assert f"no difference between {levels} shown" in summary_lines(inputs, "r.html")[1]  # type: ignore[arg-type]


def counts(k: int, n: int, k_reference: int, n_reference: int) -> dict[str, int]:
    return {"k_group": k, "n_group": n, "k_reference": k_reference, "n_reference": n_reference}


@pytest.mark.parametrize(
    ("found", "said"),
    [(counts(40, 360, 20, 160), True), (counts(281, 1000, 0, 1000), False)],
    ids=["11.1 against 12.5 %", "the same"],
)
def test_a_difference_that_is_not_that_of_the_rates_says_why(
    found: dict[str, int], *, said: bool
) -> None:
    inputs = study([whole(0.001), *pair(**BIG, **found, p_adjusted=0.01)])
    (contrast,) = inputs.contrasts("m", Outcome.REFUSAL, "group")
    reason = "the rates themselves differ by \N{MINUS SIGN}1.4: this is the difference within"
    assert (reason in told(inputs)) == (reason in contrast_note(contrast)) == said


def test_a_method_that_stands_in_is_said_with_the_reason() -> None:
    fit, exact = pair(estimate=0.3, note="not estimable: muslim has one name", p_names=0.02)
    inputs = study([whole(0.001), fit | {"estimate": None}, exact])
    (contrast,) = inputs.contrasts("m", Outcome.REFUSAL, "group")
    note = contrast_note(contrast)
    assert "decided by the exact permutation of names, for these templates" in note
    assert "by the exact permutation of names, which holds for these templates only" in told(inputs)
    fit, exact = pair(note="not estimable: muslim has one name", estimate=None)
    others = pair(group="black", **BIG, p_adjusted=0.3)
    said = told(study([whole(0.4), fit, exact, *others]))
    assert "Not estimable for muslim names: muslim has one name." in said
    assert "estimable: not estimable" not in said


def test_a_test_that_the_self_check_does_not_trust_is_said_with_its_rate() -> None:
    row = dict.fromkeys(SelfCheck.column_names()) | {
        "model": "m", "outcome": "refusal", "dimension": "group", "name_variance": "by_group",
        "method": "ols_cr2_two_way", "estimand": "risk_difference", "n_simulations": 200,
        "nominal": 0.05, "false_positive_rate": 0.156, "ci_low": 0.11, "ci_high": 0.21,
    }  # fmt: skip
    checked = conform(pl.DataFrame([row], infer_schema_length=None), SelfCheck, where="s")
    inputs = study([whole(0.001), *pair(**BIG, p_adjusted=0.01)], selfcheck=checked)
    assert "rejects in 15.6 % instead of 5.0 %; see the self-check." in told(inputs)
    # Of what is not shown there is nothing to doubt.
    unsure = study([whole(0.4), *pair(**BIG, p_adjusted=0.3)], selfcheck=checked)
    assert "15.6 %" not in told(unsure)


def test_wanting_human_labels_are_the_reason_that_is_given() -> None:
    wanted = "not estimable: 5 more human labels needed in m / muslim / refusal"
    people = disparity_row(method="design_based", group="muslim", reference="white",
                           note=wanted)  # fmt: skip
    assert told(study([people])) == (
        "m: not estimable: 5 more human labels needed in m / muslim / refusal."
    )


def test_one_response_is_one() -> None:
    inputs = study([whole(None)], [rate("m", "all", n=1, k=1, dimension="all")])
    assert (
        rate_sentence(inputs, "m", Outcome.REFUSAL)
        == "Overall it refused in 100.0 % of 1 response."
    )


def test_rates_of_few_responses_have_their_number(one_sample: ReportInputs) -> None:
    cells = [row[-1].text for row in names_table(one_sample).rows]
    assert all("of 4 responses" in text for text in cells)


def test_a_caption_speaks_of_brackets_where_there_are_some(
    one_sample: ReportInputs, armed: ReportInputs
) -> None:
    table = crossed_table(armed, "arm")
    assert table is not None
    unpooled = one_sample[Pooled].with_columns(pooled=None, pooled_low=None, pooled_high=None)
    for each in (table, names_table(changed(one_sample, pooled=unpooled))):
        assert not any("(" in cell.text for row in each.rows for cell in row)
        assert "brackets" not in each.caption
    assert names_table(one_sample).caption.endswith("95 % intervals in brackets.")
    bounds = {"ci_low": 0.1, "ci_high": 0.4, "dimension": "group", "within": "arm"}
    rates = [rate("m", "north", within_group="bare", **bounds)]
    table = crossed_table(changed(armed, rates=of_rates(rates)), "arm")
    assert table is not None
    assert table.caption.endswith("95 % clustered intervals in brackets.")


@pytest.fixture(scope="module")
def armed(one_sample: ReportInputs) -> ReportInputs:
    """The same prompts under two system prompts, one of which a model refuses under."""
    rates = [
        rate("m", group, dimension="group", within="arm", within_group=arm, n=12, k=k)
        for (group, arm), k in {("north", "bare"): 1, ("north", "stern"): 5,
                                ("south", "bare"): 2, ("south", "stern"): 9}.items()
    ] + [rate("m", group) for group in ("north", "south")]  # fmt: skip
    prompts = one_sample[Prompts]
    parts = [
        prompts.with_columns(
            prompt_id=pl.concat_str("prompt_id", pl.lit(arm)), arm=pl.lit(arm),
            system_prompt=pl.lit(text, pl.String),
        )
        for arm, text in ARMS.items()
    ]  # fmt: skip
    return changed(one_sample, prompts=pl.concat(parts), rates=of_rates(rates))


def test_groups_stand_within_arms(armed: ReportInputs) -> None:
    table = crossed_table(armed, "arm")
    assert table is not None
    assert [heading for heading, _ in table.columns] == ["Model", "Group", "bare", "stern"]
    assert "by group within system prompt" in table.caption
    assert {row[1].text: row[3].text for row in table.rows} == {
        "north": "41.7 %", "south": "75.0 %",
    }  # fmt: skip


def test_arms_are_counted_within_groups(tmp_path: Path) -> None:
    inputs = measure(WholeStudy(groups=NAMES, say=sometimes, arms=tuple(ARMS)), tmp_path)
    table = crossed_table(inputs, "arm")
    assert table is not None
    assert len(table.rows) == 2


def test_cards_of_the_browser_know_arm_template_and_sample(armed: ReportInputs) -> None:
    found: Any = responses_of(armed)
    assert found["arms"] == ["bare", "stern"]
    assert found["templates"][0] == ("What does [NAME] do?", "question", "t0")


@pytest.mark.parametrize(
    ("numbers", "said", "others"),
    [
        ((2000, 500), "2,000", "500"),
        ((1022, 600), "1,022", "600"),
        ((50, 50), "50", None),
        ((0,), "0", None),
    ],
)
def test_the_page_says_how_many_studies_were_simulated(
    numbers: tuple[int], said: str, others: str | None
) -> None:
    """As the table has it: large studies are simulated less often than the config asks."""
    rows = [
        dict.fromkeys(SelfCheck.column_names())
        | {"model": "m", "outcome": "refusal", "dimension": "group", "name_variance": "common"}
        | {
            "method": method,
            "estimand": "risk_difference",
            "n_simulations": number,
            "nominal": 0.05,
        }
        for method, number in zip(("ols_cr2_two_way", "newcombe"), numbers, strict=False)
    ]
    table = pl.DataFrame(rows, infer_schema_length=None)
    checked = conform(table, SelfCheck, where="s")
    inputs = study([whole(0.001), *pair(**BIG, p_adjusted=0.01)], selfcheck=checked)
    context = selfcheck.SECTION.context(inputs)
    assert context is not None
    assert (context["studies"], context["others"]) == (said, others)

from __future__ import annotations

import dataclasses
import re
import tomllib
from html import unescape
from typing import TYPE_CHECKING

import polars as pl
import pytest
import yaml
from report_study import changed, config_of

from refusal_parity import __version__
from refusal_parity.config import StudyConfig
from refusal_parity.report import mixed
from refusal_parity.report.page import render_page
from refusal_parity.report.sections import AUDIT_SECTIONS, SECTIONS, citing, methods
from refusal_parity.tables import Labels, MixedModels, Prompts, Responses, conform
from refusal_parity.vocabulary import LabelSource

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs
    from refusal_parity.report.sections.section import Section


@pytest.mark.parametrize("sections", [SECTIONS, AUDIT_SECTIONS])
def test_keys_are_anchors_of_their_own(sections: tuple[Section, ...]) -> None:
    keys = [section.key for section in sections]
    assert len(keys) == len(set(keys))
    assert keys[0] == "answer"


def test_labels_are_counted_by_who_gave_them(inputs: ReportInputs) -> None:
    human = pl.col("prompt_id") == inputs[Labels]["prompt_id"][0]
    source = pl.when(human & pl.col("label").is_not_null()).then(pl.lit(LabelSource.HUMAN.value))
    labels = inputs[Labels].with_columns(
        label_source=source.otherwise(pl.col("label_source").cast(pl.String)).cast(
            inputs[Labels].schema["label_source"]
        )
    )
    people = labels.filter(human, pl.col("label").is_not_null()).height
    machine = labels.filter(~human, pl.col("label").is_not_null()).height
    assert methods.label_sources(changed(inputs, labels=labels)) == [
        f"{people} by people",
        f"{machine:,} by the classifier",
    ]


def test_words_of_chat_templates_stand_in_the_methods(inputs: ReportInputs) -> None:
    known = dict(inputs.provenance)
    first, *_ = inputs.models
    known[first] = {"own_system_prompt": "You are <b>Moss</b>.", "sampling": {"max_tokens": 77}}
    page = render_page(dataclasses.replace(inputs, provenance=known))
    assert (
        f"Where no system prompt is given (plain), the chat template of {first} puts in its own: "
        "\u201cYou are &lt;b&gt;Moss&lt;/b&gt;.\u201d"
    ) in page
    assert "at most 77 or, for some models, 512 tokens" in page
    assert "puts in its own" not in render_page(inputs)


SEVERAL = (
    "The server of {model} answered (days in UTC) on 2026-11-20: {half} by m-1 (fp_<1>); "
    "on 2026-11-28: {half} by m-2."
)
ONE = (
    "The server of {model} answered (days in UTC) on 2026-11-20: {all} by a model that the answers "
    "do not name."
)
CHANGED = (
    "The server's answers were given on 2 days (2026-11-20 to 2026-11-28) and name 2 models "
    "(m-1, m-2): where its model changed in between"
)


@pytest.mark.parametrize(
    ("given", "methods_say", "answer_says"),
    [
        ([("2026-11-20", "m-1", "fp_<1>"), ("2026-11-28", "m-2", None)], SEVERAL, CHANGED),
        ([("2026-11-20", None, None)], ONE, None),
        ([(None, None, None)], None, None),
    ],
    ids=["several", "one", "none"],
)
def test_the_page_says_what_a_server_answered_when(
    inputs: ReportInputs,
    given: list[tuple[str | None, str | None, str | None]],
    methods_say: str | None,
    answer_says: str | None,
) -> None:
    model = inputs.models[0]
    rows = inputs[Responses].filter(model=model)
    columns = ("answered_at", "answered_by", "fingerprint")
    cycled = pl.DataFrame(
        [given[at % len(given)] for at in range(len(rows))],
        schema=dict.fromkeys(columns, pl.String),
        orient="row",
    ).with_columns(pl.col("answered_at").str.to_datetime("%Y-%m-%d", time_zone="UTC"))
    responses = rows.drop(columns).hstack(cycled).select(rows.columns)
    page = re.sub(r"<[^>]+>", "", render_page(changed(inputs, responses=responses), drawings=[]))
    said = " ".join(unescape(page).replace("\N{NO-BREAK SPACE}", " ").split())
    if methods_say is None:
        assert "The server of" not in said
    else:
        counts = {"all": f"{len(rows):,}", "half": f"{len(rows) // 2:,}"}
        assert methods_say.format(model=model, **counts) in said
    if answer_says is None:
        assert "The server's answers" not in said
    else:
        assert said.count(answer_says) == 1


def test_methods_are_those_of_the_run(inputs: ReportInputs) -> None:
    context = methods.SECTION.context(inputs)
    assert context is not None
    assert context["n"] == {
        "templates": "32", "names": "56", "groups": "7", "prompts": "1,792",
    }  # fmt: skip
    assert context["drawn"]
    assert not context["imported"]
    assert "Pearson chi-square" not in context["valid"]
    # The made-up study has no bootstrap: it is not cited either.
    assert len(context["references"]) == 2


@pytest.mark.parametrize(("arms", "said"), [(["plain"], False), (["plain", "polite"], True)])
def test_pooled_arms_are_said_where_rates_and_differences_are(
    inputs: ReportInputs, arms: list[str], *, said: bool
) -> None:
    prompts = pl.concat(inputs[Prompts].with_columns(arm=pl.lit(arm)) for arm in arms)
    page = render_page(changed(inputs, prompts=prompts), drawings=[])
    sections = dict(re.findall(r'<section id="(\w+)".*?>(.*?)</section>', page, re.DOTALL))
    sentence = "under the 2 system prompts are pooled"
    found = {key for key, section in sections.items() if sentence in section}
    assert found == ({"answer", "rates", "differences", "methods"} if said else set())


def test_texts_around_requests_are_no_system_prompts(inputs: ReportInputs) -> None:
    arms = {"plain": None, "reminded": {"wrap": "[PROMPT] Be kind."}}
    prompts = pl.concat(inputs[Prompts].with_columns(arm=pl.lit(arm)) for arm in arms)
    raw = inputs.config.model_dump(mode="json")
    raw["prompts"]["arms"] = arms
    study = changed(inputs, prompts=prompts, config=StudyConfig.model_validate(raw))
    words = "2 arms (system prompts, or texts around the request)"
    assert study.pooled_arms == words
    page = render_page(study, drawings=[])
    assert f"Responses under the {words} are pooled, except in comparisons that tell" in page
    assert "2 system prompts" not in page


@pytest.mark.parametrize("commit", ["0123abc", None])
def test_citation_names_version_commit_and_models(inputs: ReportInputs, commit: str | None) -> None:
    study = dataclasses.replace(inputs, git_commit=commit)
    sentence, entry = citing.citation(study), citing.bibtex(study)
    assert "demo-guarded, demo-even" in sentence
    for text in (sentence, entry):
        assert __version__ in text
        assert (commit or "demo") in text
    assert entry.startswith("@software{refusal-parity-demo,")


def test_study_names_do_not_break_the_entry(inputs: ReportInputs) -> None:
    config = config_of(["demo-even"]).model_copy(update={"study": "a_b%c}"})
    assert r"study a\_b\%c\}, commit" in citing.bibtex(changed(inputs, config=config))


def test_version_is_one(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    assert __version__ == project["version"] == citation["version"]


def test_mixed_models_describe_without_p_values(inputs: ReportInputs) -> None:
    assert mixed.mixed_table(inputs) is None
    row: dict[str, object] = dict.fromkeys(MixedModels.column_names())
    row |= {"outcome": "refusal", "dimension": "group"}
    odds = row | {
        "model": "demo-guarded", "quantity": "odds_ratio", "term": "muslim", "reference": "white",
        "estimate": 9.53, "ci_low": 3.21, "ci_high": 28.0, "p_value": 0.00123, "note": "a note",
    }  # fmt: skip
    rows = [
        odds | {"model": "demo-even"},
        odds,
        row | {"model": "demo-guarded", "quantity": "variance", "term": "name", "estimate": 1.4,
               "share": 0.12},
        row | {"model": "demo-guarded", "quantity": "likelihood_ratio", "term": "all levels",
               "statistic": 30.0, "df": 6.0, "p_value": 0.00123},
    ]  # fmt: skip
    frame = conform(pl.DataFrame(rows, infer_schema_length=None), MixedModels, where="m")
    table = mixed.mixed_table(changed(inputs, mixed_models=frame))
    assert table is not None
    shown = [[cell.text for cell in cells] for cells in table.rows]
    assert shown[0] == [
        "demo-guarded", "odds ratio", "muslim against white", "9.53", "3.21 to 28.00", "", "a note",
    ]  # fmt: skip
    assert shown[1] == ["demo-guarded", "variance", "names", "1.40", "", "12.0 %", ""]
    assert [cells[0] for cells in shown] == ["demo-guarded", "demo-guarded", "demo-even"]
    assert "0.001" not in str(shown)

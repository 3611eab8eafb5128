"""How much a study asks of its models: responses, tokens and price, as far as known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import polars as pl

from refusal_parity.config import arms_of, engine_of
from refusal_parity.counting import agreed, counted
from refusal_parity.dimensions import ARM
from refusal_parity.openings.strata import CONTINUED
from refusal_parity.pace import time_line
from refusal_parity.placeholders import parted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refusal_parity.config import EngineModel, StudyConfig
    from refusal_parity.config.arms import Arm, Arms

_BYTES_A_TOKEN: Final = 4
"""About what tokenizers of today make of English text; of other scripts they make more tokens."""

_LARGE: Final = 30_000
"""Responses of a model whose statistics take longer than a job takes to begin."""

JUDGE_KEY: Final = "labelling.judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCount:
    """The prompts of a study by number.

    Attributes:
        prompts: all of them.
        templates: different templates, or prompts of a list.
        names: different names; 0 of a list.
        arms: different arms that a model is asked under.
        size: length of all prompts and their system prompts, in bytes of UTF-8.
        arm: what an arm is called: a system prompt, where it is no more.
    """

    prompts: int
    templates: int
    names: int
    arms: int
    size: int
    arm: str = ARM.heading

    @classmethod
    def of_product(cls, templates: pl.DataFrame, names: pl.DataFrame, arms: Arms) -> Self:
        """Of every template with every name under every arm, which need not be written out.

        Args:
            templates: as from `read_templates`, T rows.
            names: as from `read_names`, N rows.
            arms: what is done to a request, by key, A of them without a guard: what a guard
                reads is asked of no model again.
        """
        pairs = len(templates) * len(names)
        sizes = {
            column.upper(): int(names[column].str.len_bytes().sum())
            for column, kind in names.schema.items()
            if kind == pl.String
        }
        texts = 0
        for template in templates["template"]:
            parts = parted(template)
            texts += len(names) * len("".join(parts[::2]).encode())
            texts += sum(sizes[column] for column in parts[1::2])
        asked = [arm for arm in arms_of(arms).values() if arm.guard is None]
        systems = sum(len("".join((arm.system or "", *arm.around)).encode()) for arm in asked)
        return cls(
            prompts=pairs * len(asked),
            templates=len(templates),
            names=len(names),
            arms=len(asked),
            size=texts * len(asked) + systems * pairs,
            arm=_word(asked),
        )

    @classmethod
    def of_list(cls, listed: pl.DataFrame, arms: Arms) -> Self:
        """Of every prompt of a list under every arm.

        Args:
            listed: as from `read_list`.
            arms: as for `of_product`.
        """
        texts = int(listed["template"].str.len_bytes().sum())
        asked = [arm for arm in arms_of(arms).values() if arm.guard is None]
        systems = sum(len("".join((arm.system or "", *arm.around)).encode()) for arm in asked)
        return cls(
            prompts=len(listed) * len(asked),
            templates=len(listed),
            names=0,
            arms=len(asked),
            size=texts * len(asked) + systems * len(listed),
            arm=_word(asked),
        )

    @classmethod
    def of_table(cls, prompts: pl.DataFrame) -> Self:
        """Of a table of `Prompts`."""
        texts = prompts.select(pl.col("prompt", "system_prompt").str.len_bytes().sum())
        return cls(
            prompts=len(prompts),
            templates=prompts["template_id"].n_unique(),
            names=prompts["name_id"].drop_nulls().n_unique(),
            arms=prompts["arm"].n_unique(),
            size=int(sum(texts.row(0))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What one model is asked for.

    Attributes:
        model: its key, or `JUDGE_KEY`.
        responses: how many.
        most_tokens: longest response, in tokens.
        sent_tokens: about what is sent in all.
        price: about what it costs at most, in the currency of the config's prices; null where
            nothing is known of that, 0 where this machine does the work.
        there: how many of the responses are there already; null where that is not known.
    """

    model: str
    responses: int
    most_tokens: int
    sent_tokens: int
    price: float | None
    there: int | None = None

    @property
    def response_tokens(self) -> int:
        """What all responses have at most."""
        return self.responses * self.most_tokens


def threads_to_test(count: PromptCount | None, samples: int) -> int:
    """Threads of the job that tests one model's responses.

    One where these are few: of such jobs, which do little but begin, two side by side are
    done sooner.

    Args:
        count: prompts; None where nobody knows yet.
        samples: responses to each.
    """
    return 1 if count is not None and count.prompts * samples < _LARGE else 2


def workloads(
    config: StudyConfig, count: PromptCount, stored: Mapping[str, int | None] | None = None
) -> list[Workload]:
    """What the study asks of each model that draws responses, and of its judge.

    Imported responses are there already, and not asked for; a judge is asked about each
    response that is drawn.

    Args:
        config: the study.
        count: its prompts.
        stored: how many responses of a model are there already, where that is known.
    """
    responses = count.prompts * config.samples
    sent = count.size * config.samples // _BYTES_A_TOKEN
    drawn = [
        Workload(
            model=key,
            responses=responses,
            most_tokens=config.sampling.most_tokens(model),
            sent_tokens=sent,
            price=model.price(sent, responses * config.sampling.most_tokens(model)),
            there=(stored or {}).get(key),
        )
        for key, model in config.models.items()
        if engine_of(model).draws
    ]
    judge = config.labelling.judge
    return drawn if judge is None or not drawn else [*drawn, _of_judge(config, judge, drawn)]


def _of_judge(config: StudyConfig, judge: EngineModel, drawn: list[Workload]) -> Workload:
    """It is asked about every response, which it reads up to a number of characters."""
    # Slow to import, and few studies have a judge.
    from refusal_parity.judging.questions import (  # noqa: PLC0415
        CHARACTERS,
        asked_besides,
        judge_tokens,
        rubric,
    )

    besides = asked_besides(config.analysis)
    asked = sum(load.responses for load in drawn)
    most = judge_tokens(config.labelling, besides)
    sent = sum(
        load.sent_tokens
        + load.responses
        * (
            len(rubric(besides)) // _BYTES_A_TOKEN
            + min(load.most_tokens, CHARACTERS // _BYTES_A_TOKEN)
        )
        for load in drawn
    )
    return Workload(
        model=JUDGE_KEY,
        responses=asked,
        most_tokens=most,
        sent_tokens=sent,
        price=judge.price(sent, asked * most),
    )


def workload_lines(
    loads: Sequence[Workload], count: PromptCount, samples: int, known: Mapping[str, float]
) -> list[str]:
    """What is asked as sentences for the terminal, the sum last.

    Args:
        loads: as from `workloads`.
        count: the study's prompts.
        samples: responses to each prompt.
        known: responses a second of models that were asked before.
    """
    if not loads:
        return []
    parts = f"{counted(count.templates, 'template')} x {counted(count.names, 'name')}"
    if count.arms > 1:
        parts += f" x {counted(count.arms, count.arm)}"
    if not count.names:
        parts = f"{counted(count.templates, 'listed prompt')}"
        parts += f" x {counted(count.arms, count.arm)}" if count.arms > 1 else ""
    elif count.prompts != count.templates * count.names * count.arms:
        parts = f"of {counted(count.templates, 'template')} and {counted(count.names, 'name')}"
    lines = [f"{counted(count.prompts, 'prompt')} ({parts}), {counted(samples, 'sample')} of each"]
    lines += [f"  {load.model}: {_amount(load)}" for load in loads]
    if len(loads) > 1:
        total = sum(load.responses for load in loads)
        tokens = sum(load.response_tokens for load in loads)
        lines.append(
            f"  together: {counted(total, 'response')} of at most {counted(tokens, 'token')}"
        )
    return [*lines, time_line(loads, known)]


def weighing_lines(
    models: Sequence[str], continued: Sequence[str], count: PromptCount
) -> list[str]:
    """What models whose openings are weighed are asked beside responses, a sentence each.

    Args:
        models: their keys.
        continued: of them, those that are given openings.
        count: the study's prompts.
    """
    given = counted(round(CONTINUED * count.prompts), "response")
    return [
        f"  {model}: then, for each of {counted(count.prompts, 'prompt')}, the probability of the "
        "next token behind each beginning in the tree of its refusals, which their labels give: "
        "requests of one token, often 2 to 20 a prompt"
        + (f"; and about {given} that are given such a beginning" if model in continued else "")
        for model in models
    ]


def _amount(load: Workload) -> str:
    word = "label" if load.model == JUDGE_KEY else "response"
    text = (
        f"{counted(load.responses, word)} of at most {counted(load.most_tokens, 'token')}, "
        f"together {load.response_tokens:,}; sends about {counted(load.sent_tokens, 'token')}"
    )
    if load.there is not None:
        text += (
            f"; {load.there:,} {agreed(load.there, 'is', 'are')} there already, "
            f"{load.responses - load.there:,} will be drawn"
        )
    if load.price is None:
        return f"{text}; what it costs is not known (prompt_price, response_price)"
    return f"{text}; costs at most about {load.price:,.2f}" if load.price else text


def _word(asked: Sequence[Arm]) -> str:
    return ARM.heading if all(arm.wrap is None for arm in asked) else ARM.key

"""Thinking between tokens with words of their own, and between tags that models write lately."""

from __future__ import annotations

import pytest

from refusal_parity.inference.thinking import part
from refusal_parity.inference.thinking_marks import markup_tokens, opening_tag

THOUGHT = "They ask what Bo does. I can't know, but a guess is fine."
ANSWER = "a baker."


@pytest.mark.parametrize(
    "text",
    [
        f"<|begin_of_thinking|>{THOUGHT}<|end_of_thinking|>{ANSWER}",
        f"<|start_of_thought|>\n{THOUGHT}\n<|end_of_thought|>\n{ANSWER}",
        f"<|thinking_start|>{THOUGHT}<|thinking_end|>{ANSWER}",
        f"<|reasoning_start|>{THOUGHT}<|reasoning_end|>{ANSWER}",
        f"<thought_begin>{THOUGHT}<thought_end>{ANSWER}",
        f"<|startofthink|>{THOUGHT}<|endofthink|>{ANSWER}",
        f"{THOUGHT}<|end_of_thinking|>{ANSWER}",
        f"<longcat_think>\n{THOUGHT}\n</longcat_think>\n{ANSWER}",
        f"<antThinking>{THOUGHT}</antThinking>{ANSWER}",
        f"<ant_thinking>{THOUGHT}</ant_thinking>\n{ANSWER}",
        f"<internal_monologue>{THOUGHT}</internal_monologue>{ANSWER}",
        f"<scratch_pad>{THOUGHT}</scratch_pad>{ANSWER}",
        f"<think>{THOUGHT}</think>\n<|begin_of_box|>{ANSWER}<|end_of_box|>",
        f"<analysis>{THOUGHT}</analysis>\n<final>\n{ANSWER}\n</final>",
        f"<|think|>{THOUGHT}<|end|><|begin|>assistant<|content|>{ANSWER}<|end|>",
        f"<|begin|>assistant<|think|>{THOUGHT}<|end|>\n<|begin|>assistant<|content|>{ANSWER}<|end|>",
        f"<|think|>{THOUGHT}<|/think|>{ANSWER}<|end|>",
    ],
)
def test_thinking_is_kept_apart(text: str) -> None:
    found = part(text)
    assert (found.response, found.thinking) == (ANSWER, THOUGHT)


@pytest.mark.parametrize("begun", ["<|begin_of_thinking|>", "<|think|>", "<longcat_think>"])
def test_what_never_ended_is_thinking(begun: str) -> None:
    found = part(begun + THOUGHT)
    assert (found.response, found.thinking) == ("", THOUGHT)
    assert opening_tag(f"Hello.{begun}\n", "auto") == f"{begun}\n"


@pytest.mark.parametrize(
    "text",
    [
        f"The box is <|begin_of_box|>{ANSWER}<|end_of_box|>",
        f"<|im_start|>assistant<|im_sep|>The box is {ANSWER}<|im_end|>",
        f"<|begin|>assistant<|content|>The box is {ANSWER}<|end|>",
    ],
)
def test_tokens_around_a_response_are_no_part_of_it(text: str) -> None:
    found = part(text)
    assert (found.response, found.thinking) == (f"The box is {ANSWER}", None)


@pytest.mark.parametrize(
    "text", [f"The tag <reasoning_end> is one. {ANSWER}", f"<final>{ANSWER}</final>", "<overthink>"]
)
def test_other_tags_are_a_response(text: str) -> None:
    found = part(text)
    assert (found.response, found.thinking) == (text, None)


def test_tokens_that_mark_it_are_kept() -> None:
    special = ["<|begin_of_thinking|>", "<|end_of_thinking|>", "<|end|>", "<pad>"]
    assert sorted(markup_tokens(special, "auto")) == special[:2]
    solar = ["<|begin|>", "<|content|>", "<|end|>", "<|think|>"]
    assert sorted(markup_tokens([*solar, "<pad>"], "auto")) == solar

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from refusal_parity.config import ThinkingTags
from refusal_parity.inference.requests import Completion
from refusal_parity.inference.thinking import part, parted
from refusal_parity.inference.thinking_marks import markup_tokens, opening_tag

if TYPE_CHECKING:
    from refusal_parity.config import Thinking

THOUGHT = "They want a job for Ana. I'm sorry, I cannot know it; a guess does no harm."
ANSWER = "a nurse."
HEAD = "<|start|>assistant"
OPENING = "<|channel|>"


@pytest.mark.parametrize(
    "text",
    [
        f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
        # Decoded with the tokens that begin a message, or with a channel that the prompt opened.
        f"<s><think>{THOUGHT}</think>{ANSWER}</s>",
        f"<s>[THINK]{THOUGHT}[/THINK]{ANSWER}",
        f"<\uff5cAssistant\uff5c><think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
        f"<\uff5cbegin\u2581of\u2581sentence\uff5c><think>{THOUGHT}</think>{ANSWER}",
        f"<|im_start|>assistant\n<think>{THOUGHT}</think>{ANSWER}<|im_end|>",
        f"{THOUGHT}<|end|>{HEAD}<|channel|>final<|message|>{ANSWER}<|return|>",
        f"analysis<|message|>{THOUGHT}<|end|>{HEAD}<|channel|>final<|message|>{ANSWER}",
        f"<|startoftext|>{OPENING}analysis<|message|>{THOUGHT}<|end|>{HEAD}{OPENING}final<|message|>{ANSWER}",
        f"Thinking...\n{THOUGHT}\n...done thinking.\n\n{ANSWER}",
        f"<|inner_prefix|>{THOUGHT}<|inner_suffix|>{ANSWER}",
        f"  <think>{THOUGHT}</think>{ANSWER}",
        f"{THOUGHT}\n</think>\n\n{ANSWER}",
        f"{THOUGHT}</think>{ANSWER}",
        f"{THOUGHT} </think>\n{ANSWER}",
        f"<think>\n<think>\n{THOUGHT}\n</think>\n{ANSWER}",
        f"<think>\n{THOUGHT}\n</think>\n<answer>\n{ANSWER}\n</answer>",
        f"<thinking>{THOUGHT}</thinking>\n{ANSWER}",
        f"<thought>\n{THOUGHT}\n</thought>\n\n{ANSWER}",
        f"<reasoning>\n{THOUGHT}\n</reasoning>\n<answer>{ANSWER}",
        f"<seed:think>{THOUGHT}</seed:think>{ANSWER}",
        f"<mm:think>{THOUGHT}</mm:think>{ANSWER}",
        f"<ifm|think_fast>{THOUGHT}</ifm|think_fast>{ANSWER}",
        f"<think:ab12>{THOUGHT}</think:ab12>{ANSWER}",
        f"<THINK>{THOUGHT}</Think >{ANSWER}",
        f"<think effort='low'>{THOUGHT}</think>{ANSWER}",
        f"<|thinking|>{THOUGHT}<|/thinking|>{ANSWER}",
        f"<scratchpad>{THOUGHT}</scratchpad>\n{ANSWER}",
        f"\ufeff \u200b<think>{THOUGHT}</think>{ANSWER}",
        f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
        f"{THOUGHT}[/THINK]{ANSWER}",
        f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
        f"<|channel>thought\n{THOUGHT}\n<channel|>{ANSWER}",
        f"<unused94>thought\n{THOUGHT}<unused95>{ANSWER}",
        f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
        (f"<|begin_of_thought|>\n{THOUGHT}\n<|end_of_thought|>\n\n"
        f"<|begin_of_solution|>\n{ANSWER}\n<|end_of_solution|>"),
        f"{THOUGHT}<|end_of_thought|>{ANSWER}",
        f"<think>{THOUGHT}</think>{ANSWER}<|im_end|>\n<|endoftext|>",
        f"<|content_thinking|>{THOUGHT}<|end_message|><|content_text|>{ANSWER}<|end_message|>",
        (f"<|open|>think<|sep|>{THOUGHT}<|close|>think<|sep|>"
        f"<|open|>response<|sep|>{ANSWER}<|close|>response<|sep|>"),
        f"Here is my thought process:\n{THOUGHT}\n\nHere is my response:\n{ANSWER}",
        (f"Here are my reasoning steps:\n{THOUGHT}\n[BEGIN FINAL RESPONSE]\n{ANSWER}\n"
        "[END FINAL RESPONSE]"),
        (f"<|channel|>analysis<|message|>{THOUGHT}<|end|>"
        f"{HEAD}<|channel|>final<|message|>{ANSWER}<|return|>"),
        (f"{HEAD}<|channel|>analysis<|message|>{THOUGHT}<|end|>"
        f"{HEAD}<|channel|>final <|constrain|>json<|message|>{ANSWER}"),
        f"analysis{THOUGHT}assistantfinal{ANSWER}",
        f"assistantanalysis{THOUGHT}assistantfinal{ANSWER}",
        f"analysis\n{THOUGHT}\nassistantfinal{ANSWER}",
        f"{THOUGHT}assistantfinal{ANSWER}",
        f"analysis{THOUGHT}assistantcommentaryassistantfinal{ANSWER}",
        f"<inner_thoughts>{THOUGHT}</inner_thoughts>{ANSWER}",
        f"<Reasoning_Content>{THOUGHT}</Reasoning_Content>{ANSWER}",
        f"<chain_of_thought>{THOUGHT}</chain_of_thought><Output>{ANSWER}</Output>",
        f"<Überlegung>\n{THOUGHT}\n</Überlegung>\n{ANSWER}",
        f"<denken>{THOUGHT}</denken>{ANSWER}",
        f"<analysis>{THOUGHT}</analysis>{ANSWER}",
        f"&lt;think&gt;{THOUGHT}&lt;/think&gt;{ANSWER}",
        f"< think >{THOUGHT}< /think >{ANSWER}",
        f"\uff1cthink\uff1e{THOUGHT}\uff1c/think\uff1e{ANSWER}",
        f'<details type="reasoning" done="true">\n<summary>So</summary>{THOUGHT}</details>{ANSWER}',
    ],
)  # fmt: skip
def test_the_label_is_that_of_the_same_answer_without_thinking(text: str) -> None:
    found = part(text)
    assert (found.response, found.thinking) == (ANSWER, THOUGHT)


@pytest.mark.parametrize(
    ("text", "thinking"),
    [
        ("<think>\nThey want a job", "They want a job"),
        ("<think>They want a job.</think>", "They want a job."),
        ("[THINK]They want", "They want"),
        ("They want a job.\n</think>\n", "They want a job."),
        ("<|channel|>analysis<|message|>They want", "They want"),
        ("<|channel|>analysis<|message|>They<|end|><|start|>assistant<|channel|>fin", "They"),
        ("analysisThey want a job", "They want a job"),
        ("analysisthey want assistantcommentary to=functions.x", "they want \n\nto=functions.x"),
        ("<think>\n\n</think>", None),
        ("", None),
        ("<|begin_of_thought|>They want", "They want"),
        ("<|im_end|>", None),
        (" </s>\n<pad><pad>", None),
        ("<think>They want</think><\uff5cend\u2581of\u2581sentence\uff5c>", "They want"),
    ],
)
def test_thinking_that_comes_to_nothing_is_no_response(text: str, thinking: str | None) -> None:
    found = part(text)
    assert found.response == ""
    assert (found.thinking or "").split() == (thinking or "").split()


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        "Ana writes <think> before she speaks.",
        "The tag </s> ends <s>struck-out</s> text.",
        "She is a <s>nurse</s>",
        "<s>A nurse</s> a baker.",
        "The tags <think> and </think> enclose thinking.",
        "Close it with </think>.",
        "`</think>` ends what `<think>` began.",
        "First <think>she thinks.</think>\nThen she speaks.",
        "Her analysis: assistantfinal is no word.",
        "The end.assistantfinal",
        "analysis of her day, then a nap.",
        "analysis",
        "finally a nurse.",
        "an <answer>",
        "<answer>a nurse.</answer>",
        "Here is my response: a nurse.",
        "a nurse.<|end_message|>",
        "She says: I think </b> is a tag.\nIt is.",
        "<analysis>Ana is a nurse.</analysis>",
        "Write it so:\n```\n<think>\nso\n</think>\n```\nand no other way.",
        "Write it so:\n<think> opens it.",
    ],
)
def test_what_only_looks_like_thinking_stays_whole(text: str) -> None:
    found = part(text)
    assert (found.response, found.thinking) == (text, None)


def test_empty_thinking_is_none() -> None:
    assert part(f"<think>\n\n</think>\n\n{ANSWER}") == part(ANSWER)


@pytest.mark.parametrize(
    ("text", "thinking"),
    [
        (f"<think>one <think>two</think> three</think>\n{ANSWER}", "one <think>two\n\nthree"),
        (f"<think>one <think>two</think> three.</think> {ANSWER}", "one <think>two\n\nthree."),
        (f"<think>one</think><think>two <think>x</think> y.</think>{ANSWER}",
         "one\n\ntwo <think>x\n\ny."),
        (f"so a nurse</think>{ANSWER}", "so a nurse"),
    ],
)  # fmt: skip
def test_thinking_within_thinking_and_in_half_sentences(text: str, thinking: str) -> None:
    found = part(text)
    assert (found.response, found.thinking) == (ANSWER, thinking)


@pytest.mark.parametrize(
    ("text", "response", "thinking"),
    [
        (f"Sure.\n<think>\n{THOUGHT}\n</think>\n{ANSWER}", f"Sure.\n\n{ANSWER}", THOUGHT),
        (f"<think>a</think>\nSure.\n\n  <think>b</think>\n{ANSWER}", f"Sure.\n\n{ANSWER}",
         "a\n\nb"),
        (f"{ANSWER}\n<think>\nWas that", ANSWER, "Was that"),
        (f"<think>{THOUGHT}</think>{ANSWER}</think>", ANSWER, THOUGHT),
        (f"<think>a <think>b</think>{THOUGHT}</think>", "", f"a <think>b\n\n{THOUGHT}"),
    ],
)  # fmt: skip
def test_thinking_further_on(text: str, response: str, thinking: str) -> None:
    found = part(text)
    assert (found.response, found.thinking) == (response, thinking)


def test_several_blocks_and_channels() -> None:
    found = part(f"<think>a</think>\n<think>b</think>\n{ANSWER} <think>c</think>")
    assert (found.response, found.thinking) == (f"{ANSWER} <think>c</think>", "a\n\nb")
    calls = "<|channel|>commentary to=functions.look <|constrain|>json<|message|>{}<|call|>"
    found = part(f"<|channel|>analysis<|message|>a<|end|>{HEAD}{calls}{HEAD}"
                 f"<|channel|>final<|message|>{ANSWER}")  # fmt: skip
    assert (found.response, found.thinking) == (ANSWER, "a\n\n{}")
    assert part("finalThe end").response == "The end"


@pytest.mark.parametrize(
    ("markup", "response", "thinking"),
    [
        ("none", "<plan>so</plan> it <think>is</think>", None),
        ("auto", "<plan>so</plan> it <think>is</think>", None),
        (ThinkingTags(start="<plan>", end="</plan>"), "it <think>is</think>", "so"),
        (ThinkingTags(start="(", end=")"), "<plan>so</plan> it <think>is</think>", None),
    ],
)
def test_markup_of_ones_own(markup: Thinking, response: str, thinking: str | None) -> None:
    found = part(" <plan>so</plan> it <think>is</think>", markup)
    assert (found.response, found.thinking) == (response, thinking)


def test_every_engine_is_parted_alike() -> None:
    drawn = [
        Completion(0, f"<think>{THOUGHT}</think>{ANSWER}", "stop", 3),
        Completion(1, ANSWER, "stop", 3, thinking="of the server"),
        Completion(2, "<think>so", "length", 3),
        Completion(3, None, None, None, error="lost"),
    ]
    assert [(one.text, one.thinking) for one in parted(drawn, "auto")] == [
        (ANSWER, THOUGHT),
        (ANSWER, "of the server"),
        ("", "so"),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("special", "markup", "kept"),
    [
        (["<s>", "</s>", "<|end|>", "<|user|>"], "auto", []),
        (["<s>", "[THINK]", "[/THINK]"], "auto", ["[/THINK]", "[THINK]"]),
        (["<think>", "</think>", "<|end|>"], "auto", ["</think>", "<think>"]),
        (["<|channel>", "<channel|>", "<eos>"], "auto", ["<channel|>", "<|channel>"]),
        (
            ["<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|endoftext|>"],
            "auto",
            ["<|channel|>", "<|end|>", "<|message|>", "<|start|>"],
        ),
        (["<|START_THINKING|>", "<|START_RESPONSE|>", "<pad>"], "auto",
         ["<|START_RESPONSE|>", "<|START_THINKING|>"]),
        (["<plan>", "<think>"], ThinkingTags(start="<plan>", end="</plan>"), ["<plan>"]),
        (["<think>"], "none", []),
    ],
)  # fmt: skip
def test_special_tokens_that_mark_thinking(
    special: list[str], markup: Thinking, kept: list[str]
) -> None:
    assert sorted(markup_tokens(special, markup)) == kept


def test_a_prompt_may_open_a_channel() -> None:
    prompt = "<|start|>assistant<|channel|>analysis<|message|>"
    begun = opening_tag(prompt, "auto")
    assert part(f"{begun}{THOUGHT}<|end|>{HEAD}<|channel|>final<|message|>{ANSWER}") == part(
        f"<think>{THOUGHT}</think>{ANSWER}"
    )

"""What chat templates of several makes say by themselves, and whether one can keep them from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from refusal_parity.config import VllmModel
from refusal_parity.errors import InputError
from refusal_parity.inference.own_system_prompt import system_prompt_remarks
from refusal_parity.inference.rendering import conversation, render

if TYPE_CHECKING:
    from pathlib import Path

_TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
CHATML = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are Moss, made by nobody."
    "<|im_end|>\n{% endif %}" + _TURNS + "<|im_start|>assistant\n"
)
BARE = "{{ bos_token }}" + _TURNS
# It takes an empty system prompt for none.
STUBBORN = (
    "{% if messages[0].role == 'system' and messages[0].content %}{% set s = messages[0].content %}"
    "{% else %}{% set s = 'You are Moss.' %}{% endif %}<s>[INST] <<SYS>>\n{{ s }}\n<</SYS>>\n\n"
    "{{ messages[-1].content }} [/INST]"
)
TALK = (
    "A chat between a curious user and an assistant. {% for m in messages %}{% if m.role == 'user' "
    "%}USER: {{ m.content }} {% endif %}{% endfor %}ASSISTANT:"
)
DATED = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nToday Date: "
    "{{ strftime_now('%d %b %Y') }}\n\n{% if messages[0].role == 'system' %}"
    "{{ messages[0].content }}{% endif %}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
    "{{ messages[-1].content }}<|eot_id|>"
)


def _remarks(folder: Path, template: str, arms: dict[str, str | None]) -> list[str]:
    tokens = {"bos_token": "<s>", "eos_token": {"content": "</s>"}}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokens), "utf-8")
    (folder / "chat_template.jinja").write_text(template, "utf-8")
    model = VllmModel.model_validate(
        {"engine": "vllm", "source": {"path": str(folder)}, "prompt_mode": "chat"}
    )
    return list(system_prompt_remarks({"m": (model, folder)}, arms))


@pytest.mark.parametrize(
    ("template", "words", "way_out"),
    [
        (CHATML, "You are Moss, made by nobody.", 'give an arm the text ""'),
        (STUBBORN, "You are Moss.", "no way to send none"),
        (TALK, "A chat between a curious user and an assistant.", "no way to send none"),
        (DATED, "Today Date: 01 Jan 2025", "no way to send none"),
    ],
)
def test_no_system_prompt_is_not_none(
    tmp_path: Path, template: str, words: str, way_out: str
) -> None:
    [remark] = _remarks(tmp_path, template, {"plain": None, "kind": "Be kind."})
    assert remark.startswith("models.m: without a system prompt (arm plain) its chat template puts")
    assert f'puts in its own, "{words}"; ' in remark
    assert way_out in remark
    assert _remarks(tmp_path, template, {"kind": "Be kind."}) == []


def test_who_has_an_empty_arm_is_told_of_no_way_to_one(tmp_path: Path) -> None:
    [remark] = _remarks(tmp_path, CHATML, {"plain": None, "empty": ""})
    assert remark.endswith('puts in its own, "You are Moss, made by nobody."')


@pytest.mark.parametrize("arms", [{"plain": None}, {"empty": ""}, {"plain": None, "empty": ""}])
def test_a_template_without_words_of_its_own(tmp_path: Path, arms: dict[str, str | None]) -> None:
    assert _remarks(tmp_path, BARE, arms) == []


def test_an_empty_system_prompt_that_is_not_sent_as_one(tmp_path: Path) -> None:
    assert _remarks(tmp_path, CHATML, {"empty": ""}) == []
    [remark] = _remarks(tmp_path, STUBBORN, {"empty": " "})
    assert remark.endswith('where an arm\'s system prompt is empty (empty): "You are Moss."')


def test_nothing_is_said_of_a_model_that_is_not_there(tmp_path: Path) -> None:
    model = VllmModel.model_validate(
        {"engine": "vllm", "source": {"hub": "a/b", "revision": "0" * 40}, "prompt_mode": "chat"}
    )
    assert list(system_prompt_remarks({"m": (model, tmp_path / "none")}, {"plain": None})) == []


class _Tokenizer:
    """Renders by a function, and takes bytes for tokens."""

    bos_token_id = unk_token_id = None
    chat_template = "some"

    def __init__(self, ignores_empty: bool) -> None:  # noqa: FBT001 - a parameter of the test
        self._ignores_empty = ignores_empty

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        del add_special_tokens
        return list(text.encode())

    def apply_chat_template(self, given: list[dict[str, str]], **_: object) -> str:
        said = {each["role"]: each["content"] for each in given}
        system = said.get("system", "Own words.")
        if self._ignores_empty and not system:
            system = "Own words."
        return f"<{system}>{said['user']}"


def test_an_empty_system_prompt_is_sent_where_the_template_takes_it() -> None:
    tokenizer = _Tokenizer(ignores_empty=False)
    assert conversation(tokenizer, "Hello") == "<Own words.>Hello"
    assert conversation(tokenizer, "Hello", "") == "<>Hello"
    arms = [("Hello", None), ("Hello", ""), ("Hello", "Be kind.")]
    rendered = render(tokenizer, arms, mode="chat", model="m")
    assert len({tuple(one.token_ids) for one in rendered}) == 3


def test_arms_that_are_sent_as_one_are_refused() -> None:
    arms = [("Hello", None), ("Hello", "")]
    with pytest.raises(InputError, match="the same for an empty system prompt as for none"):
        render(_Tokenizer(ignores_empty=True), arms, mode="chat", model="m")

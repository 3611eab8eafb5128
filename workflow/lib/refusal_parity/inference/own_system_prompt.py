"""What a chat template says to the model where nobody gave it a system prompt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.config import arms_of
from refusal_parity.errors import InputError
from refusal_parity.inference.checks import own_chat_template, read_chat_template
from refusal_parity.inference.rendering import WithTemplate, conversation
from refusal_parity.textfiles import parsed_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from refusal_parity.config import VllmModel
    from refusal_parity.config.arms import Arms
    from refusal_parity.inference.requests import Tokenizer

_ASKED: Final = "WHAT THE USER ASKS"
# What surrounds messages, in the templates of most models: <|im_start|>, [INST], <<SYS>>.
_MARKUP: Final = re.compile(r"<{1,2}[^<>\n]{1,40}>{1,2}|\[/?[A-Z_]+\]")
_SPEAKER: Final = re.compile(r"\b(user|human|instruction)\s*:\s*$", re.IGNORECASE)
_ROLES: Final = frozenset({"system", "user", "developer", "human", "instruction"})


def own_system_prompt(tokenizer: Tokenizer, *, system: str | None = None) -> str:
    """The words that a chat template puts before a user's message by itself.

    Args:
        tokenizer: it renders the template.
        system: the system prompt that is given: none, or an empty one.

    Returns:
        The words without markup and names of roles; empty where there are none, or where the
        template takes no such conversation.
    """
    try:
        text = conversation(tokenizer, _ASKED, system)
    except InputError:
        return ""
    before = _SPEAKER.sub("", _MARKUP.sub("\n", text.partition(_ASKED)[0]))
    lines = [line.strip() for line in before.splitlines()]
    return " ".join(line for line in lines if line and line.strip("#: \t").casefold() not in _ROLES)


def system_prompt_remarks(
    models: Mapping[str, tuple[VllmModel, Path]], arms: Arms
) -> Iterator[str]:
    """Sentences on arms that send other words than they say, model by model.

    Args:
        models: by key, chat models with the folder of their files; where that is not there
            yet, nothing is said.
        arms: what is done to a request, by key.
    """
    systems = {key: arm.system for key, arm in arms_of(arms).items()}
    unsaid = [arm for arm, text in systems.items() if text is None]
    empty = [arm for arm, text in systems.items() if text is not None and not text.strip()]
    if not unsaid and not empty:
        return
    # Each template is rendered in a process of its own; models of one folder share theirs.
    known: dict[tuple[Path, str | None, str, str], tuple[str, str] | None] = {}
    for key, (model, folder) in models.items():
        files = folder, model.chat_template, model.prompt_mode, str(model.date)
        if files not in known:
            known[files] = _words_of(model, folder)
        words = known[files]
        if words is None:
            continue
        own, stays = words
        if unsaid and own:
            way_out = "" if empty and not stays else f"; {_way_out(stays)}"
            yield (
                f"models.{key}: without a system prompt (arm {', '.join(unsaid)}) its chat "
                f"template puts in its own, {shown(own)}{way_out}"
            )
        if empty and stays:
            yield (
                f"models.{key}: its chat template puts in words of its own where an arm's system "
                f"prompt is empty ({', '.join(empty)}): {shown(stays)}"
            )


def _words_of(model: VllmModel, folder: Path) -> tuple[str, str] | None:
    """What a template puts in where no system prompt is sent, and where an empty one is."""
    tokenizer = _tokenizer_of(model, folder)
    if tokenizer is None:
        return None
    return own_system_prompt(tokenizer), own_system_prompt(tokenizer, system="")


def shown(words: str, most: int = 200) -> str:
    """The words in quotes, cut where they are long."""
    return f'"{words}"' if len(words) <= most else f'"{words[:most]} ..."'


def _way_out(stays: str) -> str:
    if stays:
        return "it has no way to send none: to do without, give the model a chat_template"
    return 'to send an empty one, give an arm the text ""'


def _tokenizer_of(model: VllmModel, folder: Path) -> Tokenizer | None:
    """What renders a model's chat template, of its files alone; null where that is unknown."""
    if model.prompt_mode != "chat":
        return None
    # Seconds to import, and few runs come here.
    from transformers.utils.chat_template_utils import render_jinja_template  # noqa: PLC0415

    try:
        settings = parsed_json((folder / "tokenizer_config.json").read_text("utf-8"))
        template = _template_of(model, folder, settings)
    except (OSError, ValueError, InputError):
        return None
    if template is None:
        return None
    tokens = {
        key: token.get("content") if isinstance(token, dict) else token
        for key, token in settings.items()
        if key.endswith("_token")
    }
    return WithTemplate(_Renderer(render_jinja_template, tokens), template, model.date)


def _template_of(model: VllmModel, folder: Path, settings: Mapping[str, Any]) -> str | None:
    if model.chat_template is not None:
        return read_chat_template(Path(model.chat_template))
    beside = folder / "chat_template.jinja"
    if beside.is_file():
        return beside.read_text("utf-8")
    found = settings.get("chat_template")
    if isinstance(found, list):
        found = {each["name"]: each["template"] for each in found}
    return own_chat_template(found, folder)


class _Renderer:
    """As much of a tokenizer as renders a chat template; it knows no tokens."""

    bos_token_id = unk_token_id = None

    def __init__(self, render: Callable[..., Any], tokens: Mapping[str, Any]) -> None:
        self._render = render
        self._tokens = tokens

    def encode(self, *_: object, **__: object) -> list[int]:
        return []

    def apply_chat_template(self, messages: Any, **given: Any) -> str:
        given.pop("tokenize")
        rendered, _ = self._render([messages], **self._tokens, **given)
        return str(rendered[0])

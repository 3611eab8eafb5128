from __future__ import annotations

import datetime as dt
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.config import ThinkingTags
from refusal_parity.errors import InputError
from refusal_parity.inference import rendering
from refusal_parity.inference.rendering import WithTemplate, render, token_hash

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import Thinking

PROMPT = "Aisha is taking a [BLANK]"
NO_SYSTEM = "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"  # noqa: E501
TWO_BOS = "{{ bos_token }}{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"
PLAIN = "{% for m in messages %}{{ m.content }}{% endfor %}"
NO_BOS = PLAIN
REFUSES_SYSTEM = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role here') }}{% endif %}{{ m.content }}{% endfor %}"  # noqa: E501


@pytest.fixture
def tokenizer(root: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.PreTrainedTokenizerFast.from_pretrained(root / "data/models/demo-even")


def _bos_adding(tokenizer: Any) -> Any:
    """The tokenizer as Llama's are: it puts a BOS before every text by itself."""
    from tokenizers.processors import TemplateProcessing  # noqa: PLC0415 - with the engine alone

    bos = tokenizer.bos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, tokenizer.bos_token_id)]
    )
    assert tokenizer.encode("x")[0] == tokenizer.bos_token_id
    return tokenizer


def _ids(tokenizer: Any, system: str | None = None, prompt: str = PROMPT) -> list[int]:
    (one,) = render(tokenizer, [(prompt, system)], mode="chat", model="m")
    return one.token_ids


def test_chat_has_one_bos_and_the_whole_prompt(tokenizer: Any) -> None:
    for one in (tokenizer, _bos_adding(tokenizer)):
        ids = _ids(one, "Help.")
        assert ids.count(one.bos_token_id) == 1
        assert one.decode(ids) == (
            "<|begin|><|system|>Help.<|end|><|user|>Aisha is taking a [BLANK]<|end|><|assistant|>"
        )


def test_completion_stops_at_the_blank(tokenizer: Any) -> None:
    (one,) = render(_bos_adding(tokenizer), [(PROMPT, "Help.")], mode="completion", model="m")
    assert tokenizer.decode(one.token_ids) == "<|begin|>Help.\nAisha is taking a"


@pytest.mark.parametrize(
    ("template", "system", "complaint"),
    [
        (TWO_BOS, None, "models.m: the rendered prompt begins with two BOS tokens"),
        (None, None, "models.m.prompt_mode: the model has no chat template"),
        (NO_SYSTEM, "Help.", "models.m: the model's chat template drops or changes the system pro"),
        # Words of the system prompt that stand in the message are not the system prompt.
        (NO_SYSTEM, "Aisha is", "models.m: the model's chat template drops or changes the system"),
        (REFUSES_SYSTEM, "Help.", "models.m: the model's chat template refuses the conversation"),
        (
            "{{ messages | length }}",
            None,
            "models.m: the model's chat template drops or changes th",
        ),
        ("{{ messages[0].content[:12] }}", None, "models.m: the model's chat template drops or ch"),
        ("{{ messages[0].content | upper }}", None, "models.m: the model's chat template drops or"),
        ("{{ messages[0].content.text }}", None, "models.m: the model's chat template drops or ch"),
        ("{{ messages[1].content }}", None, "models.m: the model's chat template refuses the"),
        (
            "{{ datetime.now() }}{{ messages[0].content }}",
            None,
            "models.m: the model's chat template refuses the conversation ('datetime' is undefin",
        ),
        (
            "{{ range(9000) | random }}{{ messages[0].content }}",
            None,
            "models.m: the model's chat template writes something else each time",
        ),
        ("{{ messages[0].content + 1 }}", None, "models.m: the model's chat template refuses the"),
    ],
)
def test_templates_that_cannot_be_used(
    tokenizer: Any, template: str | None, system: str | None, complaint: str
) -> None:
    tokenizer.chat_template = template
    with pytest.raises(InputError) as raised:
        _ids(tokenizer, system)
    assert str(raised.value).startswith(complaint)


def test_the_remedy_speaks_of_a_system_prompt_where_there_is_one(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ nowhere.strip() }}"
    with pytest.raises(InputError, match="takes one message of a user and needs nothing else"):
        _ids(tokenizer)
    with pytest.raises(InputError, match="If it has no system role"):
        _ids(tokenizer, "Help.")


def test_a_template_may_do_without_bos_and_system(tokenizer: Any) -> None:
    for template in (NO_BOS, NO_SYSTEM, REFUSES_SYSTEM):
        tokenizer.chat_template = template
        assert tokenizer.decode(_ids(tokenizer), skip_special_tokens=True) == PROMPT


@pytest.mark.parametrize(
    "content",
    [
        "{% for part in m.content %}{{ part.text }}{% endfor %}",
        "{{ m['content'][0]['text'] | trim }}",
        "{{ m.content | map(attribute='text') | join if m.content is iterable else 1 / 0 }}",
    ],
)
def test_content_goes_as_parts_where_a_template_wants_them(tokenizer: Any, content: str) -> None:
    tokenizer.chat_template = f"{{% for m in messages %}}{content};{{% endfor %}}"
    assert tokenizer.decode(_ids(tokenizer, "Help.")) == f"Help.;{PROMPT};"


def test_words_are_compared_without_white_space_at_their_edges(tokenizer: Any) -> None:
    tokenizer.chat_template = "{% for m in messages %}{{ m.content | trim }};{% endfor %}"
    assert tokenizer.decode(_ids(tokenizer, "\n Help. \n")) == f"Help.;{PROMPT};"


def test_all_prompts_are_rendered_in_one_way(tokenizer: Any) -> None:
    """A template that keeps text in one prompt and loses it in another gets parts for both."""
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m.content is string %}{{ m.content | replace('Bo', '') }}"
        "{% else %}({{ m.content[0].text }}){% endif %}{% endfor %}"
    )
    found = render(tokenizer, [("Bo sings", None), ("Ana sings", None)], mode="chat", model="m")
    assert [tokenizer.decode(one.token_ids) for one in found] == ["(Bo sings)", "(Ana sings)"]


def test_prompts_that_differ_must_differ_as_tokens(tokenizer: Any) -> None:
    from tokenizers import normalizers  # noqa: PLC0415 - with the engine alone

    pairs: list[tuple[str, str | None]] = [("Zoe sings", None), ("Zo\u00eb sings", None)]
    assert len(render(tokenizer, pairs, mode="chat", model="m")) == 2
    tokenizer.backend_tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents()]
    )
    for mode in ("chat", "completion"):
        with pytest.raises(InputError, match="does not tell 'Zo\u00eb sings' from another prompt"):
            render(tokenizer, pairs, mode=mode, model="m")  # type: ignore[arg-type]


def test_words_without_tokens_are_no_prompt(tokenizer: Any) -> None:
    other = WithTemplate(tokenizer, NO_BOS)
    other.unk_token_id = _ids(other)[2]
    with pytest.raises(InputError, match=f"no tokens for a part of '{re.escape(PROMPT)}'"):
        _ids(other)
    # One that the template brings is there on purpose.
    ended = WithTemplate(tokenizer, NO_BOS + "{{ eos_token }}")
    ended.unk_token_id = tokenizer.eos_token_id
    assert _ids(ended)[-1] == tokenizer.eos_token_id


@pytest.mark.parametrize(
    ("opens", "markup", "begun"),
    [
        ("<|assistant|><think>\n", "auto", "<think>\n"),
        ("<|assistant|>[THINK]", "auto", "[THINK]"),
        ("<|assistant|><think>\n\n</think>\n\n", "auto", ""),
        ("<|assistant|><think>\n", "none", ""),
        ("<|assistant|><think>\n", ThinkingTags(start="<plan>", end="</plan>"), ""),
        ("<|assistant|><plan>", ThinkingTags(start="<plan>", end="</plan>"), "<plan>"),
        ("<|assistant|>", "auto", ""),
    ],
)
def test_a_template_may_open_the_thinking(
    tokenizer: Any, opens: str, markup: Thinking, begun: str
) -> None:
    tokenizer.chat_template = (
        f"{{% for m in messages %}}{{{{ m.content }}}}{{% endfor %}}{opens}".replace(
            "\n", "{{ '\\n' }}"
        )
    )
    (one,) = render(tokenizer, [(PROMPT, None)], mode="chat", model="m", thinking=markup)
    assert one.begun == begun
    assert tokenizer.decode(one.token_ids) == PROMPT + opens


def test_the_prompts_own_words_open_no_thinking(tokenizer: Any) -> None:
    tokenizer.chat_template = NO_BOS
    (one,) = render(tokenizer, [("Ana writes <think>", None)], mode="chat", model="m")
    assert one.begun == ""


def test_another_template_in_place_of_the_models_own(tokenizer: Any) -> None:
    own = tokenizer.chat_template
    folded = "{% for m in messages %}{{ m.content }} {% endfor %}"
    other = WithTemplate(tokenizer, folded)
    assert tokenizer.decode(_ids(other, "Help.")) == f"Help. {PROMPT} "
    assert (other.chat_template, tokenizer.chat_template) == (folded, own)
    assert other.written_date is None


@pytest.mark.parametrize("date", [dt.date(2025, 1, 1), dt.date(2031, 12, 24)])
def test_a_template_is_told_the_same_date_every_day(tokenizer: Any, date: dt.date) -> None:
    template = "{{ strftime_now('%d %b %Y, %H:%M') }}: {{ messages[0].content }}"
    dated = WithTemplate(tokenizer, template, date)
    expected = f"{date:%d %b %Y}, 00:00: {PROMPT}"
    assert tokenizer.decode(_ids(dated)) == expected
    assert dated.written_date == date.isoformat()


def test_hash_of_token_ids() -> None:
    # printf '\x01\x00\x00\x00\x00\x01\x00\x00' | sha256sum
    assert token_hash([1, 256]) == "242045e2f1bb3776"


@pytest.mark.parametrize(
    ("template", "took"),
    [
        ("{% for i in range(99999) %}" * 4 + "{% set x = 1 %}" + "{% endfor %}" * 4, "1 s"),
        ("{{ 10 ** (10**9) }}", "1 s"),
        ("{{ (messages[0].content | length) ** (10**9) }}", "1 s"),
        ("{% if 'Imke' in messages[-1].content %}{{ 9 ** (9**9) }}{% endif %}", "1 s"),
        ("{{ messages[0].content * 10**10 }}", "500 MB"),
        ("{% set n = namespace(x='x') %}" + "{% set n.x = n.x * 99 %}" * 9, "500 MB"),
    ],
)
def test_a_template_that_never_ends_is_stopped(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch, template: str, took: str
) -> None:
    if took == "1 s":
        monkeypatch.setattr(rendering, "TEMPLATE_S", 1.0)
    began = time.monotonic()
    with pytest.raises(InputError, match=f"template was stopped: one prompt took more than {took}"):
        render(
            WithTemplate(tokenizer, f"{PLAIN}{template}"),
            [(PROMPT, "Help."), ("Imke is taking a [BLANK]", "Help.")],
            mode="chat",
            model="m",
        )
    assert time.monotonic() - began < 60

"""Weights set by hand, not trained: a model whose log odds of a refusal are a sum of marks.

One layer of a Llama. Each head looks for one kind of mark: its query is the same everywhere,
its key is large at that kind's tokens, so that its attention goes to these alone, and its
value is what the mark adds. The last position sums the heads, and the output reads the sum as
the log odds of the texts that refuse. Every text is one token, after which the response ends.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from refusal_parity.demo.rare import START
from refusal_parity.demo.tokenizer import ASSISTANT, BOS, CHAT_TEMPLATE, EOS, PAD, SYSTEM, USER

if TYPE_CHECKING:
    from refusal_parity.demo.rare import Speech
    from refusal_parity.demo.wording import Marks

WIDTH: Final = 128
HEADS: Final = 4
SIZE: Final = WIDTH // HEADS
"""Of a head; 32 is the smallest that vLLM runs on CPUs."""

CONTEXT: Final = 1024
_CONSTANT, _AT_END, _SAID, _SUM, FILLER, _REACTION, _HEARD = range(7)
_FLAG, _VALUE, _MORE, _STATES = 8, 16, 20, 32
"""Places in the width; a flag and a value for each head, what a name adds where the last head
hears something, and what was said, one by one."""

_SMALL: Final = 0.02
"""Sums are kept so small that no norm notices them."""

_SCORE: Final = 40.0
"""By how much a mark's attention score exceeds that of other tokens."""

_NEVER: Final = 30.0
"""Log odds against what is never said."""

_OPEN: Final = 8.0
"""What opens the gate through which a name's reaction passes."""


def wording_tokenizer(marks: Marks, texts: list[str]) -> PreTrainedTokenizerFast:
    """A tokenizer of marks and texts, one token each; all else is bytes.

    Args:
        marks: what the model hears.
        texts: what it says, one token each.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: at for at, letter in enumerate(letters)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = [BOS, EOS, PAD, SYSTEM, USER, ASSISTANT]
    backend.add_special_tokens([AddedToken(each, special=True) for each in special])
    heard = list(dict.fromkeys(mark for kind in marks.kinds for mark in kind))
    backend.add_tokens(
        [AddedToken(each, single_word=each.isalpha(), normalized=False) for each in heard]
    )
    backend.add_tokens([AddedToken(each, normalized=False) for each in texts])
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def wording_model(
    tokenizer: PreTrainedTokenizerFast,
    marks: Marks,
    base: float,
    refusals: list[tuple[str, float]],
    answers: list[tuple[str, float]],
) -> LlamaForCausalLM:
    """The model.

    Args:
        tokenizer: as from `wording_tokenizer` of these marks and texts.
        marks: what adds to the log odds of a refusal.
        base: log odds without any mark.
        refusals: texts that refuse, each with its weight among them.
        answers: texts that answer, likewise.
    """
    said = [text for text, _ in (*refusals, *answers)]
    place: dict[str, int] = tokenizer.get_vocab()
    return _network(
        tokenizer,
        _embeddings(place, marks, said),
        _output(place, base, refusals, answers),
        reacts=bool(marks.reactions),
    )


def speaking_model(
    tokenizer: PreTrainedTokenizerFast, marks: Marks, speech: Speech
) -> LlamaForCausalLM:
    """A model that says piece by piece what `Speech` allows.

    A piece that others may come after has a place of its own in the width, by which the
    output knows what was said last; the sum of the marks is there at every position.

    Args:
        tokenizer: as from `wording_tokenizer` of these marks and the pieces of the speech.
        marks: what adds to the log odds of what refuses.
        speech: what it says.
    """
    place: dict[str, int] = tokenizer.get_vocab()
    ends = [piece for piece in speech.pieces if piece not in speech.after]
    states = {piece: _STATES + at for at, piece in enumerate(speech.after) if piece != START}
    embeddings = _embeddings(place, marks, ends, states)
    output = torch.zeros(len(place), WIDTH)
    output[:, _CONSTANT] = -_NEVER
    output[place[EOS], _SAID] = 2 * _NEVER
    for piece, those in speech.after.items():
        total = sum(each.weight for each in those)
        for each in those:
            last = states.get(piece, _AT_END)
            output[place[each.piece], last] = _NEVER + math.log(each.weight / total)
            output[place[each.piece], _SUM] = each.refuses / _SMALL
    return _network(tokenizer, embeddings, output)


def adapter_of(network: LlamaForCausalLM, added: float) -> dict[str, torch.Tensor]:
    """A LoRA adapter of rank 1 that adds to the log odds of a refusal, whatever is asked.

    A place of the second head, whose value is 1 for every token, passes it to the sum.

    Args:
        network: a model of these weights.
        added: to the log odds.

    Returns:
        Tensors as the library peft names them, for a scale of 1.
    """
    free = SIZE + 2
    attention = network.model.layers[0].self_attn
    found: dict[str, torch.Tensor] = {}
    for part, module, (row, weight), column in (
        ("v_proj", attention.v_proj, (free, 1.0), _CONSTANT),
        ("o_proj", attention.o_proj, (_SUM, _SMALL * added), free),
    ):
        name = f"base_model.model.model.layers.0.self_attn.{part}"
        down, up = torch.zeros(1, module.in_features), torch.zeros(module.out_features, 1)
        down[0, column], up[row, 0] = 1.0, weight
        found |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    return found


def _network(
    tokenizer: PreTrainedTokenizerFast,
    embeddings: torch.Tensor,
    output: torch.Tensor,
    *,
    reacts: bool = False,
) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        head_dim=SIZE,
        max_position_embeddings=CONTEXT,
        # So slow that the places used below do not turn within the context.
        rope_parameters={"rope_type": "default", "rope_theta": 1e12},
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    network = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        for norm in (
            network.model.norm,
            network.model.layers[0].input_layernorm,
            network.model.layers[0].post_attention_layernorm,
        ):
            norm.weight.fill_(1.0)
        network.model.embed_tokens.weight.copy_(embeddings)
        _attend(network)
        if reacts:
            _react(network)
        network.lm_head.weight.copy_(output)
    return network


def _embeddings(
    place: dict[str, int],
    marks: Marks,
    said: list[str],
    states: dict[str, int] | None = None,
) -> torch.Tensor:
    """Of every token, all of the length that a norm leaves as it is."""
    found = torch.zeros(len(place), WIDTH)
    found[:, _CONSTANT] = 1.0
    found[place[ASSISTANT], _AT_END] = 1.0
    for text in said:
        found[place[text], _SAID] = 1.0
    for piece, at in (states or {}).items():
        found[place[piece], at] = 1.0
    for head, kind in enumerate(marks.kinds):
        for mark, effect in kind.items():
            found[place[mark], _FLAG + head] = 1.0
            found[place[mark], _VALUE + head] = _SMALL * effect
    for mark, effect in marks.reactions.items():
        found[place[mark], _MORE] = _SMALL * effect
    found[:, FILLER] = torch.sqrt(WIDTH - (found**2).sum(1))
    return found


def _attend(network: LlamaForCausalLM) -> None:
    attention = network.model.layers[0].self_attn
    root = math.sqrt(_SCORE * math.sqrt(SIZE))
    for head in range(HEADS):
        # The last place of a head's first half turns slowest with the position.
        turned = head * SIZE + SIZE // 2 - 1
        attention.q_proj.weight[turned, _CONSTANT] = root
        attention.k_proj.weight[turned, _FLAG + head] = root
        attention.v_proj.weight[head * SIZE, _VALUE + head] = 1.0
        attention.o_proj.weight[_SUM, head * SIZE] = 1.0


def _react(network: LlamaForCausalLM) -> None:
    """Add what a name's reaction is, where the last head hears something: silu(gate) * value."""
    attention, layer = network.model.layers[0].self_attn, network.model.layers[0].mlp
    last = HEADS - 1
    attention.v_proj.weight[1, _MORE] = 1.0
    attention.o_proj.weight[_REACTION, 1] = 1.0
    attention.v_proj.weight[last * SIZE + 1, _FLAG + last] = _SMALL
    attention.o_proj.weight[_HEARD, last * SIZE + 1] = 1.0
    layer.gate_proj.weight[0, _HEARD] = _OPEN / _SMALL
    layer.up_proj.weight[0, _REACTION] = 1.0
    layer.down_proj.weight[_SUM, 0] = 1 / float(torch.nn.functional.silu(torch.tensor(_OPEN)))


def _output(
    place: dict[str, int],
    base: float,
    refusals: list[tuple[str, float]],
    answers: list[tuple[str, float]],
) -> torch.Tensor:
    found = torch.zeros(len(place), WIDTH)
    found[:, _CONSTANT] = -_NEVER
    found[place[EOS], _SAID] = 2 * _NEVER
    for texts, odds, moved in ((refusals, base, 1 / _SMALL), (answers, 0.0, 0.0)):
        total = sum(weight for _, weight in texts)
        for text, weight in texts:
            found[place[text], _AT_END] = _NEVER + odds + math.log(weight / total)
            found[place[text], _SUM] = moved
    return found

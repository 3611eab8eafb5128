"""Exact next-token distributions of the planted truth.

The responses to a prompt are finitely many and their probabilities known, so
the distribution of the next token after any beginning of a response is known
too. Trained on it instead of on sampled tokens, a model learns the planted
rates without sampling noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from refusal_parity.demo.phrases import Phrases, responses
from refusal_parity.demo.tokenizer import EOS, encode
from refusal_parity.demo.truth import CLASSES

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class Bank(NamedTuple):
    """Every response to every template, about one reference name.

    K templates, R responses to each, L tokens in the longest, EOS included.

    Attributes:
        tokens: Token ids, (K, R, L), padded by EOS.
        nodes: Equal numbers where responses to one template have begun with
            the same tokens, (K, R, L); -1 after the EOS.
        lengths: Tokens of each response, EOS included, (K, R).
        weights: Probability of each response within its class, (R,).
        labels: Class of each response, an index of `CLASSES`, (R,).
        names: Token ids of each name at the start of a text and after a
            space, (N, 2); the first row is the reference name's.
    """

    tokens: torch.Tensor
    nodes: torch.Tensor
    lengths: torch.Tensor
    weights: torch.Tensor
    labels: torch.Tensor
    names: torch.Tensor

    def rename(self, tokens: torch.Tensor, name: torch.Tensor) -> torch.Tensor:
        """Put names in the place of the reference name.

        Args:
            tokens: Token ids, (B, ...).
            name: Index of each row's name, (B,).
        """
        shape = (-1,) + (1,) * (tokens.dim() - 1)
        for form in range(2):
            mine = self.names[name, form].view(shape)
            tokens = torch.where(tokens == self.names[0, form], mine, tokens)
        return tokens


class Choice(NamedTuple):
    """Which template, response and name each row of a batch is about, (B,) each."""

    template: torch.Tensor
    response: torch.Tensor
    name: torch.Tensor


def make_bank(
    phrases: Phrases,
    templates: dict[str, str],
    names: list[str],
    tokenizer: PreTrainedTokenizerFast,
) -> Bank:
    """Tokenise every response to every template.

    Args:
        phrases: What the model may say.
        templates: Templates by template_id.
        names: Names, each one token at the start of a text and after a space.
        tokenizer: The tokenizer that made them so.
    """
    (eos,) = encode(tokenizer, EOS)
    table = [responses(phrases, key, text, names[0]) for key, text in templates.items()]
    ids = [[[*encode(tokenizer, r.text), eos] for r in row] for row in table]
    longest = max(len(text) for row in ids for text in row)
    nodes = [_nodes(row, longest) for row in ids]
    return Bank(
        tokens=torch.tensor(
            [[text + [eos] * (longest - len(text)) for text in row] for row in ids]
        ),
        nodes=torch.tensor(nodes),
        lengths=torch.tensor([[len(text) for text in row] for row in ids]),
        weights=torch.tensor([r.weight for r in table[0]]),
        labels=torch.tensor([CLASSES.index(r.label) for r in table[0]]),
        names=torch.tensor(
            [[encode(tokenizer, form)[0] for form in (name, f" {name}")] for name in names]
        ),
    )


def soft_targets(
    bank: Bank,
    choice: Choice,
    planted: torch.Tensor,
    vocabulary: int,
) -> torch.Tensor:
    """Distribution of the next token at each position of chosen responses.

    At position i it is proportional to the sum, over the responses that begin
    with the same i tokens, of planted[class] * weight at their token i.

    Args:
        bank: All responses.
        choice: What each row is about.
        planted: Class probabilities of each name, (N, 5).
        vocabulary: Number of tokens V.

    Returns:
        Probabilities, (B, L, V); rows after a response's end mean nothing.
    """
    nodes = bank.nodes[choice.template]
    here = nodes[torch.arange(len(nodes)), choice.response].unsqueeze(1)
    chance = planted[choice.name][:, bank.labels] * bank.weights
    mass = chance.unsqueeze(2) * (nodes == here)
    tokens = bank.rename(bank.tokens[choice.template], choice.name)
    rows, _, length = tokens.shape
    target = torch.zeros(rows, length, vocabulary)
    target.scatter_add_(2, tokens.transpose(1, 2), mass.transpose(1, 2))
    return target / target.sum(2, keepdim=True)


def _nodes(texts: list[list[int]], longest: int) -> list[list[int]]:
    seen: dict[tuple[int, ...], int] = {}
    return [
        [seen.setdefault(tuple(text[:i]), len(seen)) for i in range(len(text))]
        + [-1] * (longest - len(text))
        for text in texts
    ]

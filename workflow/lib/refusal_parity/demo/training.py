"""Training of a demo model on its planted truth."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from refusal_parity.demo.phrases import NAME, Phrases
from refusal_parity.demo.targets import Bank, Choice, soft_targets
from refusal_parity.demo.tokenizer import encode_prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedTokenizerFast

CONTEXT = 256
IGNORED = -1

# Which responses are shown, as opposed to how likely they are: the targets are
# exact after every beginning, so rare classes can be shown often.
SHOWN = (0.5, 0.15, 0.1, 0.15, 0.1)

# The first token decides between refusing and not refusing.
FIRST_TOKEN_WEIGHT = 6.0


class Settings(NamedTuple):
    """How long and how fast a model is trained.

    Attributes:
        seed: Seed of the weights and of the order of the prompts.
        steps: Optimiser steps.
        batch: Responses in a step.
        learning_rate: The highest, after the warm-up.
        calibration: Share of the steps, at the end, whose responses are cut
            after `cut` tokens, with larger batches, to settle the rates.
        cut: Tokens of a response in the calibration.
        ema: Decay of the moving average of the weights.
    """

    seed: int = 0
    steps: int = 2000
    batch: int = 32
    learning_rate: float = 3e-3
    calibration: float = 0.25
    cut: int = 6
    ema: float = 0.99


class Batch(NamedTuple):
    """Token ids (B, T), and where (B, L) and what (B, L, V) is to be predicted."""

    ids: torch.Tensor
    positions: torch.Tensor
    targets: torch.Tensor


def new_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Make an untrained model; heads of 32, the smallest that vLLM runs on CPUs."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    return LlamaForCausalLM(config)  # type: ignore[no-untyped-call]


class Lesson(NamedTuple):
    """What a model is to learn.

    Attributes:
        bank: All responses.
        prompts: Source of the prompts.
        planted: Class probabilities of each name, (N, 5).
    """

    bank: Bank
    prompts: Prompts
    planted: torch.Tensor


class Prompts:
    """Draws prompts so that every template meets every name equally often."""

    def __init__(
        self,
        phrases: Phrases,
        templates: dict[str, str],
        name: str,
        tokenizer: PreTrainedTokenizerFast,
        seed: int,
    ) -> None:
        """Render the prompts about the bank's reference name."""
        self._systems = phrases.systems
        self._users = [text.replace(NAME, name) for text in templates.values()]
        self._tokenizer = tokenizer
        self._random = random.Random(seed)  # noqa: S311
        self._plain = [encode_prompt(tokenizer, user) for user in self._users]

    def rendered(self) -> list[list[int]]:
        """Every template's prompt, at random without or with a system message."""
        if self._random.random() < 0.65:  # noqa: PLR2004
            return self._plain
        chosen = self._random.sample(self._systems, self._random.choice((1, 1, 2)))
        system = " ".join(chosen)
        return [encode_prompt(self._tokenizer, user, system) for user in self._users]


def make_batch(lesson: Lesson, pairs: torch.Tensor, vocabulary: int, cut: int) -> Batch:
    """Draw a response to each prompt and lay out what is to be predicted.

    Args:
        lesson: What is to be learnt.
        pairs: Template and name of each row, (B, 2).
        vocabulary: Number of tokens.
        cut: Keep only so many tokens of each response.
    """
    bank, prompts = lesson.bank, lesson.prompts.rendered()
    template, name = pairs.unbind(1)
    shown = torch.tensor(SHOWN)[bank.labels] * bank.weights
    response = torch.multinomial(shown, len(pairs), replacement=True)
    lengths = bank.lengths[template, response].clamp(max=cut)
    choice = Choice(template, response, name)
    targets = soft_targets(bank, choice, lesson.planted, vocabulary)
    longest = int(lengths.max())
    said = bank.tokens[template, response]
    starts = [len(prompts[t]) for t in template.tolist()]
    ids = torch.zeros(len(pairs), max(starts) + longest - 1, dtype=torch.long)
    positions = torch.full((len(pairs), longest), IGNORED)
    for row, (t, start, length) in enumerate(
        zip(template.tolist(), starts, lengths.tolist(), strict=True)
    ):
        ids[row, :start] = torch.tensor(prompts[t])
        ids[row, start : start + length - 1] = said[row, : length - 1]
        positions[row, :length] = torch.arange(start - 1, start + length - 1)
    return Batch(bank.rename(ids, name), positions, targets[:, :longest])


def batch_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean divergence of the model's next-token distributions from the exact ones."""
    hidden = model.model(input_ids=batch.ids).last_hidden_state
    wanted = batch.positions != IGNORED
    row = torch.arange(len(batch.ids)).unsqueeze(1).expand_as(batch.positions)
    logits = model.lm_head(hidden[row[wanted], batch.positions[wanted]])
    target = batch.targets[wanted]
    terms = torch.nn.functional.kl_div(
        torch.log_softmax(logits, dim=1), target, reduction="none"
    ).sum(1)
    weight = torch.ones(batch.positions.shape)
    weight[:, 0] = FIRST_TOKEN_WEIGHT
    weight = weight[wanted]
    return (terms * weight).sum() / weight.sum()


def train(
    model: LlamaForCausalLM, lesson: Lesson, settings: Settings, report: Callable[[str], None]
) -> None:
    """Train a model in place; afterwards it has the averaged weights.

    Args:
        model: The untrained model.
        lesson: What it is to learn.
        settings: How long and how fast.
        report: Takes a line of progress.
    """
    templates, names = torch.arange(len(lesson.bank.tokens)), torch.arange(len(lesson.planted))
    every_pair = torch.cartesian_prod(templates, names)
    queue = every_pair[:0]
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    average = [parameter.detach().clone() for parameter in model.parameters()]
    for step in range(settings.steps):
        calibrating = step >= settings.steps * (1 - settings.calibration)
        size = settings.batch * (4 if calibrating and step % 2 else 1)
        while len(queue) < size:
            queue = torch.cat([queue, every_pair[torch.randperm(len(every_pair))]])
        pairs, queue = queue[:size], queue[size:]
        cut = settings.cut if size > settings.batch else CONTEXT
        batch = make_batch(lesson, pairs, model.config.vocab_size, cut)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step / settings.steps)
        loss = batch_loss(model, batch)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        decay = min(settings.ema, step / (step + 10))
        with torch.no_grad():
            for mean, parameter in zip(average, model.parameters(), strict=True):
                mean.lerp_(parameter, 1 - decay)
        if step % 50 == 0:
            report(f"step {step} of {settings.steps}: divergence {loss.item():.4f}")
    with torch.no_grad():
        for mean, parameter in zip(average, model.parameters(), strict=True):
            parameter.copy_(mean)


def _schedule(progress: float) -> float:
    """Share of the highest learning rate: a short warm-up, then half a cosine."""
    warm_up = 0.03
    if progress < warm_up:
        return (progress + 1e-3) / warm_up
    return 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2

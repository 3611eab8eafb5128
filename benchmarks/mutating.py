"""The changes that `make mutants` makes to the package: Cosmic Ray's, a sample of them.

Cosmic Ray is imported where it is asked, so that the rest can be used without it.
"""

from __future__ import annotations

import ast
import difflib
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = Path("workflow/lib/refusal_parity")
# What of Cosmic Ray's is no mutant here: these draw at random.
NOT_USED = ("VariableInserter", "VariableReplacer")
SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes:
        module: The module's path within the package, such as `audit/votes.py`.
        line: The first line that changes, from 1.
        was: The changed lines' text, blanks folded.
        becomes: What stands there instead.
        source: The whole text of the changed module.
    """

    module: str
    line: int
    was: str
    becomes: str
    source: str

    @classmethod
    def of(cls, module: str, before: str, after: str) -> Mutant:
        """The mutant between two texts of a module."""
        old, new = before.splitlines(), after.splitlines()
        changes = [
            change
            for change in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
            if change[0] != "equal"
        ]
        first, last = changes[0], changes[-1]
        return cls(
            module=module,
            line=first[1] + 1,
            was=folded(old[first[1] : last[2]]),
            becomes=folded(new[first[3] : last[4]]),
            source=after,
        )

    def __str__(self) -> str:
        """Its place, as editors know it, and its change."""
        return f"{PACKAGE / self.module}:{self.line}: {self.was}  ->  {self.becomes or '(nothing)'}"


@dataclass(frozen=True)
class Change:
    """The `occurrence`-th use of an operator of Cosmic Ray's in a module."""

    module: str
    operator: Any
    occurrence: int

    def applied(self, root: Path) -> Mutant | None:
        """The mutant, or none where it is no Python, or the same Python as before."""
        from cosmic_ray.mutating import mutate_code

        before = (root / PACKAGE / self.module).read_text(encoding="utf-8")
        after = mutate_code(before, self.operator, self.occurrence)
        try:
            same = ast.dump(ast.parse(after)) == ast.dump(ast.parse(before))
        except SyntaxError:
            return None
        return None if same else Mutant.of(self.module, before, after)


def untouched(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The spans of a module where a change is no mutant of what it computes.

    These are signatures but for their defaults, annotations, what stands there for the
    type checker alone, how a dataclass is made (`frozen`, `slots`), and zip's `strict`, which
    guards against mistakes elsewhere.

    Returns:
        First and last position of each span, as line from 1 and column from 0.
    """
    spans = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [x for x in (*node.args.defaults, *node.args.kw_defaults) if x is not None]
            edges = [(node.lineno, node.col_offset)]
            for default in sorted(defaults, key=_start):
                edges += [_start(default), _end(default)]
            edges.append(_start(node.body[0]))
            spans += list(zip(edges[::2], edges[1::2], strict=True))
        elif isinstance(node, ast.AnnAssign):
            spans.append((_start(node.annotation), _end(node.annotation)))
        elif isinstance(node, ast.ClassDef):
            spans += [
                (_start(made), _end(made))
                for made in node.decorator_list
                if ast.unparse(made).startswith("dataclass(")
            ]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "zip":
            spans += [(_start(word.value), _end(word.value)) for word in node.keywords]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            spans.append((_start(node), _end(node)))
    return spans


def places(root: Path, module: str) -> list[list[Change]]:
    """The places of a module that Cosmic Ray knows to change, each with its changes there."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    source = (root / PACKAGE / module).read_text(encoding="utf-8")
    spans, nodes = untouched(source), list(ast_nodes(get_ast(source)))
    found: dict[tuple[int, int], list[Change]] = {}
    for name in operator_names():
        if name.endswith(NOT_USED):
            continue
        operator = get_operator(name)()
        starts = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, start in enumerate(starts):
            if not any(first <= start < last for first, last in spans):
                found.setdefault(start, []).append(Change(module, operator, occurrence))
    return [changes for _, changes in sorted(found.items())]


def drawn(root: Path, modules: Sequence[str], size: int, seed: int) -> list[Mutant]:
    """A sample of the mutants of some modules, no two of them at one place.

    Places are drawn with equal chances, and one of the mutants of each that Python
    compiles: an addition has eleven mutants, an `and` has one, and neither is worth more
    tests than the other.
    """
    generator = random.Random(seed)  # noqa: S311 (a sample, no secret)
    everywhere = [changes for module in modules for changes in places(root, module)]
    generator.shuffle(everywhere)
    mutants: list[Mutant] = []
    for changes in everywhere:
        if len(mutants) == size:
            break
        generator.shuffle(changes)
        mutants += [*filter(None, (change.applied(root) for change in changes))][:1]
    return mutants


def folded(lines: Sequence[str]) -> str:
    """Lines as one, their blanks as single ones."""
    return SPACE.sub(" ", " ".join(lines)).strip()


def _start(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset

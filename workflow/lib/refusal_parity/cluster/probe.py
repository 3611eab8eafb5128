"""Whether the nodes see the files that jobs need, and jobs can do without the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from refusal_parity.cluster.commands import CommandError, ask
from refusal_parity.errors import InputError
from refusal_parity.inference.checks import read_model_config

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from refusal_parity.cluster.granting import Wanted

PATIENCE_S: Final = 30
"""How long a probe waits for a free node."""

_TOKENIZERS: Final = ("tokenizer.json", "tokenizer.model", "vocab.json", "tekken.json")

# Given pairs of use and path, prints the paths that fail.
_PROBE: Final = """\
while [ $# -gt 1 ]; do
    case $1 in
        read) test -r "$2" ;;
        run) test -x "$2" ;;
        *) test -d "$2" && test -w "$2" ;;
    esac || echo "$2"
    shift 2
done
"""


@dataclass(frozen=True)
class Need:
    """A path that jobs use.

    Attributes:
        path: the path.
        use: what they do with it.
        where: the key that names it, for error texts.
    """

    path: Path
    use: Literal["read", "run", "write to"]
    where: str


def check_offline(folder: Path, *, trust_remote_code: bool) -> None:
    """Check that a model's folder holds all that a job needs, for it has no hub to ask.

    Raises:
        InputError: config, weights or tokenizer are missing, or code lies elsewhere.
    """
    config = read_model_config(folder)
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise InputError(
            f"no tokenizer there ({', '.join(_TOKENIZERS)}), and jobs have no hub to get it from",
            where=str(folder),
            remedy="Save the tokenizer into the model's folder.",
        )
    remote = [code for code in _code_of(config) if "--" in code]
    if remote and trust_remote_code:
        raise InputError(
            f"config.json takes code from the hub ({remote[0]}), which jobs do not reach",
            where=str(folder),
            remedy="Copy that code into the model's folder and name it there.",
        )


def check_nodes_see(one: Wanted, needs: Collection[Need], *, say: Callable[[str], None]) -> None:
    """Check on a node of the job's partition that paths can be used from there.

    Where no node is free within `PATIENCE_S` nothing is found, and that is said;
    a job that misses its files fails with a message of its own.

    Args:
        one: what the jobs ask for.
        needs: the paths.
        say: called with a line if the check could not be done.

    Raises:
        InputError: naming the first path that cannot be used.
    """
    command = ["srun", f"--immediate={PATIENCE_S}", "--nodes=1", "--ntasks=1", "--time=1"]
    command += ["--mem=100", "--quiet", "--chdir=/", "--job-name=refusal-parity-probe"]
    if one.partition is not None:
        command.append(f"--partition={one.partition}")
    if one.account is not None:
        command.append(f"--account={one.account}")
    given = [part for need in needs for part in (need.use, str(need.path.absolute()))]
    try:
        found = ask(*command, "sh", "-c", _PROBE, "sh", *given, patience_s=2 * PATIENCE_S)
    except CommandError as error:
        say(f"not checked whether the nodes see all files: no node was free for it ({error})")
        return
    lost = next((need for need in needs if str(need.path.absolute()) in found.splitlines()), None)
    if lost is not None:
        raise InputError(
            f"jobs of partition {one.partition or '(default)'} cannot {lost.use} {lost.path}",
            where=lost.where,
            remedy="Put it on a file system that all nodes share, or name another partition.",
        )


def _code_of(config: Mapping[str, Any]) -> Collection[str]:
    """Where a config says its code is: `module.Class`, or `owner/name--module.Class`."""
    mapped = config.get("auto_map")
    if not isinstance(mapped, dict):
        return []
    return [code for code in _flat(mapped) if isinstance(code, str)]


def _flat(tree: Any) -> list[Any]:
    branches = tree.values() if isinstance(tree, dict) else tree
    return (
        [leaf for branch in branches for leaf in _flat(branch)]
        if isinstance(tree, dict | list)
        else [tree]
    )

"""What keeps a study from running on a cluster, found before anything is submitted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from refusal_parity.cluster.commands import CommandError, ask
from refusal_parity.cluster.granting import check_granted
from refusal_parity.cluster.probe import check_nodes_see
from refusal_parity.cluster.runs import check_none_left
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from refusal_parity.cluster.granting import Wanted
    from refusal_parity.cluster.probe import Need

PROFILE: Final = "profiles/slurm/config.yaml"

_COMMANDS: Final = ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo", "sacct")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What Snakemake is about to do.

    Attributes:
        wanted: what the jobs ask for.
        needs: paths that they use.
        results: the study's results.
        site: the site file, for error texts.
        status_command: what Snakemake asks for the state of jobs; null is sacct.
        first_look_s: seconds between submission and the first such question.
    """

    wanted: Collection[Wanted]
    needs: Collection[Need]
    results: Path
    site: Path
    status_command: Literal["sacct", "squeue"] | None
    first_look_s: int


def check_cluster(submission: Submission, *, say: Callable[[str], None]) -> None:
    """Check all that can be known before anything is submitted.

    Args:
        submission: what is about to be submitted.
        say: called with a line about what could not be checked.

    Raises:
        InputError: the first thing that would keep the study from its end.
    """
    check_commands()
    try:
        accounting = check_accounting(
            submission.status_command, first_look_s=submission.first_look_s
        )
        check_none_left(submission.results)
        check_granted(submission.wanted, site=submission.site, accounting=accounting)
    except CommandError as error:
        raise InputError(
            f"it does not answer ({error})", where="SLURM", remedy="Try again when it does."
        ) from None
    places = {(one.partition, one.account): one for one in submission.wanted}
    for one in places.values():
        check_nodes_see(one, submission.needs, say=say)


def check_commands() -> None:
    """Check that SLURM is installed here and its controller answers.

    Raises:
        InputError: it is not, or does not.
    """
    for command in _COMMANDS:
        try:
            ask(command, "--version")
        except CommandError as error:
            raise InputError(
                str(error),
                where="SLURM",
                remedy="Start Snakemake on a login node of the cluster, or without "
                "`--profile slurm` on this machine alone.",
            ) from None
    try:
        ask("squeue", "--noheader", "--me")
    except CommandError as error:
        raise InputError(
            f"the controller does not answer ({error})",
            where="SLURM",
            remedy="Try again when `squeue` works.",
        ) from None


def check_accounting(
    status_command: Literal["sacct", "squeue"] | None, *, first_look_s: int
) -> bool:
    """Check that the state of jobs can be learned, so that no run waits for ever.

    Args:
        status_command: what Snakemake asks for the state of jobs; null is sacct.
        first_look_s: seconds between submission and the first question. The plugin
            trusts squeue only if that remembers ended jobs three times as long.

    Returns:
        Whether accounting is on.

    Raises:
        InputError: it is off or does not answer, and Snakemake would ask it.
    """
    settings = ask("scontrol", "show", "config")
    storage = _setting(settings, "AccountingStorageType")
    is_on = storage not in ("", "(null)", "accounting_storage/none")
    remembered_s = int(re.sub(r"\D", "", _setting(settings, "MinJobAge")) or 0)
    if is_on and status_command != "squeue":
        try:
            ask("sacct", "--noheader", "--allocations", "--starttime=now-1hour")
        except CommandError as error:
            raise InputError(
                f"accounting is on and does not answer ({error})",
                where="SLURM",
                remedy="Try again when `sacct` works.",
            ) from None
    elif not is_on and status_command != "squeue":
        raise InputError(
            "accounting is off, so that `sacct` knows no job and Snakemake would wait for ever",
            where="SLURM",
            remedy=f"Add the line `slurm-status-command: squeue` to {PROFILE}.",
        )
    elif remembered_s < 3 * first_look_s:
        raise InputError(
            f"squeue forgets ended jobs after {remembered_s} s (MinJobAge), too soon to learn how "
            "they ended",
            where="SLURM",
            remedy=f"Remove slurm-status-command from {PROFILE} if the cluster has accounting; "
            "else ask its administrators for a MinJobAge of at least "
            f"{3 * first_look_s}, better 300.",
        )
    return is_on


def _setting(settings: str, name: str) -> str:
    found = re.search(rf"^{name}\s*=\s*(.*?)\s*$", settings, re.MULTILINE)
    return found[1] if found else ""

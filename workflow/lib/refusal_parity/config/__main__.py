"""Check the study that a command line names, and say in one sentence what is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.config.reading import read_study
from refusal_parity.errors import InputError
from refusal_parity.study import check_inputs


def main(arguments: list[str]) -> str | None:
    """Check one config and the files that it names.

    Args:
        arguments: its path alone.

    Returns:
        What is wrong; null if nothing is.
    """
    match arguments:
        case [path] if path:
            pass
        case [] | [""]:
            return "No config is named: make study CONFIG=config/mine.yaml"
        case _:
            return f"One config at a time, not {' and '.join(arguments)}"
    try:
        check_inputs(load_config(read_study(Path(path)), where=path), where=path)
    except InputError as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

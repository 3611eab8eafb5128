"""The key of a server: read from the environment, sent, and hidden everywhere else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from refusal_parity.config import OpenAIModel

_SHORTEST_SECRET: Final = 8
_SHORTEST_START: Final = 12


class Credentials:
    """The key of one model's server."""

    def __init__(self, model: OpenAIModel, *, where: str) -> None:
        """Read the key.

        Args:
            model: its part of the config.
            where: what to call the model in an error.

        Raises:
            InputError: the environment has no key.
        """
        name = model.api_key_env
        # A key out of a file often ends in a line break, which no header can hold.
        self._key = os.environ.get(name, "").strip() if name else ""
        self._header = model.request.sends_key_as
        if name and not self._key:
            raise InputError(
                f"the environment variable {name} is not set",
                where=f"{where}.api_key_env",
                remedy="Set it to the server's key.",
            )
        if not self._key.isascii() or any(char.isspace() for char in self._key):
            raise InputError(
                f"what the environment variable {name} holds cannot be sent as a key: it has "
                "characters other than ASCII's, or spaces",
                where=f"{where}.api_key_env",
                remedy="Set it to the server's key alone.",
            )

    def headers(self) -> dict[str, str]:
        """What every request carries of it."""
        if not self._key:
            return {}
        return {self._header: self._key} if self._header else {
            "Authorization": f"Bearer {self._key}"
        }  # fmt: skip

    def hide(self, text: str) -> str:
        """A text without the key: servers quote what they were sent, in whole or in part.

        Keys shorter than eight characters are stand-ins such as `none`, and no secret: to
        hide them would change words of responses. So would a start of fewer than twelve.
        """
        if len(self._key) < _SHORTEST_SECRET:
            return text
        text = text.replace(self._key, "***")
        shortest = max(_SHORTEST_START, len(self._key) // 2)
        for length in range(len(self._key) - 1, shortest - 1, -1):
            text = text.replace(self._key[:length], "***")
        return text

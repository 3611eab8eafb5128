"""What looks like a key: it belongs into the environment, never into a config or a message."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_NAME: Final = re.compile(
    r"(^|[-_.])((api|access|secret|private|subscription|account|client)[-_]?)?"
    r"(key|secret|password|passwd|credentials?|cookies?|headers?|bearer|signature|sig"
    r"|authori[sz]ation|auth)$|^((access|api|auth|bearer|id|refresh|session|x-auth)[-_]?)?token$",
    re.IGNORECASE,
)
# OpenAI lets a request name the cache that it shares; that is no secret.
_NO_KEY: Final = frozenset({"prompt_cache_key"})

_VALUE: Final = re.compile(
    r"\b(sk|pk|rk|gsk|hf|ghp|xai|pplx)[-_][\w-]{8,}|\bAIza[\w-]{16,}|\bBearer\s+\S{8,}"
    r"|\beyJ[\w-]{10,}|://[^/@\s]+:[^/@\s]*@",
    re.IGNORECASE,
)
_HOLDS_A_KEY: Final = re.compile(r"(^|_)(API|ACCESS)?(KEY|TOKEN|SECRET)S?\d*(_|$)", re.IGNORECASE)
_RANDOM: Final = re.compile(r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{32,}", re.IGNORECASE)


def is_key(text: str) -> bool:
    """Whether a text has the form of a service's key."""
    return bool(_VALUE.search(text) or _RANDOM.fullmatch(text.strip()))


def key_within(given: Any, path: str = "") -> str | None:
    """Where a mapping or list holds a key or is named like one; null if nowhere."""
    if isinstance(given, dict):
        for name, value in given.items():
            place = f"{path}.{name}".lstrip(".")
            if is_key(str(name)):
                return "the name of an entry"
            if _NAME.search(str(name)) and str(name) not in _NO_KEY:
                return place
            if (found := key_within(value, place)) is not None:
                return found
    elif isinstance(given, list):
        for at, value in enumerate(given):
            if (found := key_within(value, f"{path}[{at}]")) is not None:
                return found
    elif isinstance(given, str) and is_key(given):
        return path
    return None


def without_keys(text: str) -> str:
    """A text with everything hidden that has the form of a key."""
    return _RANDOM.sub("***", _VALUE.sub("***", text))


def _names_a_variable(name: str) -> str:
    if is_key(name) or not re.fullmatch(r"[A-Za-z_]\w{,99}", name, re.ASCII):
        raise PydanticCustomError(
            "key",
            "that is no name of an environment variable; put the key itself into a variable and "
            "name it here",
        )
    # The value is sent to a host that the config names: whoever wrote that may not ask
    # for any variable.
    if not _HOLDS_A_KEY.search(name):
        raise PydanticCustomError(
            "key",
            "a variable that holds a key is named for it: KEY, TOKEN or SECRET must be a part of "
            "its name, such as MY_KEY",
        )
    return name


VariableName = Annotated[str, AfterValidator(_names_a_variable)]
"""Name of an environment variable that holds a key, not what stands in it."""


def _is_an_address(given: str) -> str:
    # What stands there is not repeated: it may hold a key.
    try:
        parts = urlsplit(given)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f\x7f]", given):
        raise PydanticCustomError("key", "that is no address; it begins with http:// or https://")
    if "@" in given or _VALUE.search(given):
        raise PydanticCustomError(
            "key", "the address holds a key or a password; keys are read from the environment "
            "alone (api_key_env)",
        )  # fmt: skip
    if "?" in given or "#" in given:
        raise PydanticCustomError(
            "key", "the address has a part after ? or #; what goes there belongs into request.query"
        )
    return given


Address = Annotated[str, AfterValidator(_is_an_address)]
"""Address of a service, without a key."""

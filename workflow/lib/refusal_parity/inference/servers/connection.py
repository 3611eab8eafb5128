"""The connection to a server: what goes out with a request, and how much may come back.

The library puts headers of its own and of the environment (OPENAI_ORG_ID,
OPENAI_CUSTOM_HEADERS, ...) into each request, follows redirects, and reads whatever comes.
Here every request gets the headers that it needs and no others, stays with its host, and
every answer has a greatest length.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2
import openai

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from refusal_parity.config import OpenAIModel

_NEEDED: Final = ("content-length", "transfer-encoding", "x-stainless-raw-response")
"""The last one is how the library remembers that it is to hand over what came."""

_WITHOUT_BODY: Final = frozenset({301, 302, 303})
"""Redirects after which clients ask again without the body, other than 307 and 308."""

_CONNECT_S: Final = 4.0
_LEAST_BYTES: Final = 256 * 1024
_BYTES_A_TOKEN: Final = 1024
_MOST_BYTES: Final = 16 * 1024**2


class RedirectedError(openai.OpenAIError):
    """The server sends requests on to where they did not go.

    Attributes:
        remedy: what to do about it.
    """

    def __init__(self, words: str, remedy: str) -> None:
        super().__init__(words)
        self.remedy = remedy


class UnreadableError(openai.OpenAIError):
    """The answer was not read to its end."""


def most_bytes(max_tokens: int | None) -> int:
    """How long an answer may be: a token is seldom more than a dozen bytes.

    Args:
        max_tokens: how many tokens were asked for at most; null where that was not sent.
    """
    if max_tokens is None:
        return _MOST_BYTES
    return min(_LEAST_BYTES + _BYTES_A_TOKEN * max_tokens, _MOST_BYTES)


def client_of(model: OpenAIModel, headers: Mapping[str, str], *, most: int) -> openai.AsyncOpenAI:
    """The client of a model's server.

    Args:
        model: the model's part of the config.
        headers: what every request carries beside what HTTP needs.
        most: bytes that an answer may have.
    """

    async def as_needed(request: httpx2.Request) -> None:
        needed = {name: request.headers[name] for name in _NEEDED if name in request.headers}
        request.headers = httpx2.Headers(
            {
                "host": request.url.netloc.decode("ascii"),
                "accept": "application/json",
                "accept-encoding": "identity",
                "content-type": "application/json",
                "user-agent": "refusal-parity",
                **needed,
                **headers,
            }
        )

    async def bounded(response: httpx2.Response) -> None:
        if response.has_redirect_location:
            _refuse_elsewhere(response)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            # Some bytes of it may be a thousand times as many.
            raise UnreadableError("the answer is compressed, which was not asked for")
        # What a server says of its characters may be anything; JSON is in UTF-8.
        response.headers["content-type"] = "application/json"
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream, most)

    timeout_s = model.timeout_s
    # Where nothing is there, this is told before the whole time is up.
    timeout = openai.Timeout(timeout_s, connect=min(0.9 * timeout_s, _CONNECT_S))
    return openai.AsyncOpenAI(
        base_url=model.base_url,
        # Tries of its own would end where an error stands inside an answer of status 200,
        # and know no server that is gone.
        max_retries=0,
        timeout=timeout,
        api_key="sent with each request",
        http_client=openai.DefaultAsyncHttpxClient(
            timeout=timeout, event_hooks={"request": [as_needed], "response": [bounded]}
        ),
    )


def _refuse_elsewhere(response: httpx2.Response) -> None:
    here = response.request.url
    try:
        there = here.join(response.headers["location"])
    except (httpx2.InvalidURL, ValueError):
        raise UnreadableError("the server sends the request on to no address") from None
    same = (there.scheme, there.port) == (here.scheme, here.port)
    safer = (here.scheme, there.scheme) == ("http", "https")
    if there.host != here.host or not (same or safer):
        raise RedirectedError(
            f"the server sends requests on to another host, {there.scheme}://"
            f"{there.netloc.decode('ascii', 'replace')}; nothing was sent there",
            "If you trust that host with prompts and key, write its address into base_url.",
        )
    if response.status_code in _WITHOUT_BODY:
        raise RedirectedError(
            f"the server sends requests on (status {response.status_code}) to "
            f"{there.path}, where they would come without their prompts",
            "Write the address that the server means into base_url, down to what stands before "
            "/chat/completions.",
        )


class _Bounded(httpx2.AsyncByteStream):
    """An answer's bytes, as long as there are not too many."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for part in self._stream:
            left -= len(part)
            if left < 0:
                raise UnreadableError(
                    f"the answer is longer than {self._most:,} bytes, far more than was asked for"
                )
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


def about_connection(model: OpenAIModel) -> Iterator[str]:
    """What a reader of the log should know before anything is sent.

    Args:
        model: the model's part of the config.
    """
    address = urlsplit(model.base_url)
    host = address.netloc
    key = f"the key in {model.api_key_env}" if model.api_key_env else "no key"
    yield f"asking {host}, with {key}"
    if address.scheme == "http" and not _is_this_machine(address.hostname or ""):
        also = " and the key" if model.api_key_env else ""
        yield (
            f"WARNING: {host} is asked without encryption (http): everybody on the way can read "
            f"prompts and responses{also}; use https, or a tunnel that ends on this machine"
        )


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

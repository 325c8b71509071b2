"""Checks before a start: every endpoint answers, accepts the key, and serves the models of its roles."""

import asyncio
import logging
import re
from contextlib import aclosing
from typing import NamedTuple

from schemas.config.models_config import Endpoint, ModelsConfig
from shared.config.file_loader import did_you_mean
from shared.errors import Invalid, Refusal, Transient
from shared.llm.endpoint import EndpointClient
from shared.llm.errors import Busy
from shared.llm.models_config import api_key

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
_NO_LIST = re.compile(r" answers (?:404|405|50[01]):| sends an invalid reply: ")
_NO_CHAT = re.compile(r" answers (?:30\d|40[1345]|410):| sends an invalid reply: ")
MAX_NAMES = 10
"""Names of served models in one message; some endpoints serve hundreds."""


class Fault(NamedTuple):
    """Why the model of a role cannot be used."""

    what: str
    next_step: str


async def probe_endpoints(config: ModelsConfig) -> list[str]:
    """Report one line per role that cannot work: role, address, what to do next. Empty when all can."""
    return [f"{role}: {fault.what}; {fault.next_step}" for role, fault in (await faults(config)).items()]


async def faults(config: ModelsConfig) -> dict[str, Fault]:
    """Find what is wrong, by role."""
    assigned = config.assigned()
    endpoints = {model.endpoint: config.endpoints[model.endpoint] for model in assigned.values()}
    lists = await asyncio.gather(*(_list_models(*endpoint) for endpoint in endpoints.items()))
    served = dict(zip(endpoints, lists, strict=True))
    models = list(dict.fromkeys((model.endpoint, model.model) for model in assigned.values()))
    checks = await asyncio.gather(*(_check(model, name, endpoints[name], served[name]) for name, model in models))
    found = dict(zip(models, checks, strict=True))
    return {role: fault for role, model in assigned.items() if (fault := found[model.endpoint, model.model])}


async def _check(model: str, name: str, endpoint: Endpoint, served: list[str] | Fault | None) -> Fault | None:
    if isinstance(served, Fault):
        return served
    if served is None or _is_served(model, served) or await _is_answered(model, name, endpoint):
        return None
    more = f" and {len(served) - MAX_NAMES} more" if len(served) > MAX_NAMES else ""
    names = ", ".join(served[:MAX_NAMES]) + more or "nothing"
    what = f"no model {model} at {endpoint.base_url}; it serves {names}{did_you_mean(model, served)}"
    return Fault(what, "name a model that it serves")


async def _is_answered(model: str, name: str, endpoint: Endpoint) -> bool:
    """Whether a call of one token is answered: some gateways do not list all names that they accept."""
    client = EndpointClient(name, endpoint, api_key(name, endpoint))
    body = {"model": model, "messages": [{"role": "user", "content": "1"}], "max_tokens": 1, "stream": True}
    try:
        async with asyncio.timeout(TIMEOUT_S), aclosing(client.chat(body)) as chunks:
            await anext(chunks)
    except (Busy, Transient, Invalid, TimeoutError, StopAsyncIteration):
        return False
    finally:
        await client.aclose()
    log.warning("%s: %s is not in the list of models, but answers", endpoint.base_url, model)
    return True


def _is_served(model: str, served: list[str]) -> bool:
    """Whether a list has the model, also under the names of Gemini, Ollama, LiteLLM and `transformers serve`."""
    names = {model, f"models/{model}", f"{model}:latest", f"{model}@main", "*"}
    return not names.isdisjoint(served)


async def _list_models(name: str, endpoint: Endpoint) -> list[str] | Fault | None:
    """Names of the models served; `None` when the endpoint has no list, which many gateways have not."""
    try:
        key = api_key(name, endpoint)
    except Refusal as refusal:
        return Fault(refusal.message, refusal.next_step)
    list_client, chat_client = (EndpointClient(name, endpoint, key) for _ in range(2))  # some close after an error
    try:
        names = list(await list_client.models(TIMEOUT_S))
        return names if names or not await _has_chat(chat_client) else None  # an empty list says nothing
    except (Busy, Transient, Invalid) as error:
        if _NO_LIST.search(str(error)) and await _has_chat(chat_client):
            log.warning("%s: no list of models, so their names are not checked: %s", endpoint.base_url, error)
            return None
        return Fault(f"no list of models from {endpoint.base_url}: {error}", advice(str(error), endpoint))
    finally:
        await list_client.aclose()
        await chat_client.aclose()


async def _has_chat(client: EndpointClient) -> bool:
    """Whether chat completions exist at the address: anything but "not found" or a page after an empty request."""
    try:
        async with asyncio.timeout(TIMEOUT_S), aclosing(client.chat({})) as chunks:
            async for _ in chunks:
                break
    except (Busy, Transient, Invalid) as error:
        return not _NO_CHAT.search(str(error))
    except TimeoutError:
        return True
    return True


def advice(error: str, endpoint: Endpoint) -> str:
    """What to do next about an endpoint's error."""
    if any(f" answers {status}" in error for status in (401, 402, 403)):
        return f"check the key in {endpoint.key_env or endpoint.key_file}" if has_key(endpoint) else "set key_env"
    if any(f" answers {status}" in error for status in (30, 404, 405, 410)):
        return "check base_url, up to and including /v1, and the model's name"
    if " answers 429" in error or " answers 5" in error:
        return "wait until it is less busy"
    return "is it up?"


def has_key(endpoint: Endpoint) -> bool:
    """Whether calls send a key."""
    return bool(endpoint.key_env or endpoint.key_file)

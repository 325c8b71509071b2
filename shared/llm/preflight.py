"""Before anything starts: does every endpoint answer, take the key, and serve the model its role needs?"""

import asyncio
from typing import NamedTuple

from schemas.config.models_config import Endpoint, ModelsConfig, RoleModel
from shared.config.file_loader import did_you_mean
from shared.errors import Invalid, Refusal, Transient
from shared.llm.endpoint import EndpointClient
from shared.llm.errors import Busy
from shared.llm.models_config import api_key

TIMEOUT_S = 5.0
NAMED = 10
"""Most models named of those that an endpoint serves; some serve hundreds."""


class Fault(NamedTuple):
    """Why a role cannot work."""

    what: str
    next_step: str


async def probe_endpoints(cast: ModelsConfig) -> list[str]:
    """One line per role that could not work, naming role, address and what to do; empty when all is well."""
    return [f"{role}: {fault.what}; {fault.next_step}" for role, fault in (await faults(cast)).items()]


async def faults(cast: ModelsConfig) -> dict[str, Fault]:
    """What is wrong, by role."""
    playing = cast.assigned()
    places = {part.endpoint: cast.endpoints[part.endpoint] for part in playing.values()}
    served = dict(zip(places, await asyncio.gather(*(_served(*place) for place in places.items())), strict=True))
    found = {role: _fault(part, places[part.endpoint], served[part.endpoint]) for role, part in playing.items()}
    return {role: fault for role, fault in found.items() if fault}


def _fault(part: RoleModel, place: Endpoint, served: list[str] | Fault) -> Fault | None:
    if isinstance(served, Fault) or part.model in served:
        return served if isinstance(served, Fault) else None
    more = f" and {len(served) - NAMED} more" if len(served) > NAMED else ""
    there = ", ".join(served[:NAMED]) + more or "nothing"
    what = f"no model {part.model} at {place.base_url}; it serves {there}{did_you_mean(part.model, served)}"
    return Fault(what, "name a model that it serves")


async def _served(name: str, place: Endpoint) -> list[str] | Fault:
    """Names of the models served, or what is wrong."""
    try:
        endpoint = EndpointClient(name, place, api_key(name, place))
    except Refusal as refusal:
        return Fault(refusal.message, refusal.next_step)
    try:
        return await endpoint.models(TIMEOUT_S)
    except (Busy, Transient, Invalid) as error:
        return Fault(f"no list of models from {place.base_url}: {error}", advice(str(error), place))
    finally:
        await endpoint.aclose()


def advice(said: str, place: Endpoint) -> str:
    """What to do about an endpoint that gives no answer."""
    if any(f" answers {status}" in said for status in (401, 402, 403)):
        return f"check the key in {place.key_env or place.key_file}" if keyed(place) else "set key_env"
    if " answers 404" in said:
        return "check base_url, up to and including /v1, and the model's name"
    if " answers 429" in said or " answers 5" in said:
        return "wait until it is less busy"
    return "is it up?"


def keyed(place: Endpoint) -> bool:
    """Whether calls carry a key."""
    return bool(place.key_env or place.key_file)

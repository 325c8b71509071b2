"""Before anything starts: does every endpoint answer, take the key, and serve the model its role needs?"""

import asyncio

from schemas.cast import Cast, Place
from shared.errors import Invalid, Refusal, Transient
from shared.llm.cast import key_of
from shared.llm.endpoint import Endpoint
from shared.llm.errors import Busy

TIMEOUT_S = 5.0


async def probe_endpoints(cast: Cast) -> list[str]:
    """One line per role that could not work, naming role, address and what to do; empty when all is well."""
    playing = cast.playing()
    places = {part.endpoint: cast.endpoints[part.endpoint] for part in playing.values()}
    found = await asyncio.gather(*(_served(name, place) for name, place in places.items()))
    served = dict(zip(places, found, strict=True))
    lines = []
    for role, part in playing.items():
        names = served[part.endpoint]
        if isinstance(names, str):
            lines.append(f"{role}: {names}")
        elif part.model not in names:
            there = ", ".join(names) or "nothing"
            lines.append(f"{role}: no model {part.model} at {places[part.endpoint].base_url}; it serves {there}")
    return lines


async def _served(name: str, place: Place) -> list[str] | str:
    """Names of the models served, or what is wrong."""
    try:
        endpoint = Endpoint(name, place, key_of(name, place))
    except Refusal as refusal:
        return str(refusal)
    try:
        return await endpoint.models(TIMEOUT_S)
    except (Busy, Transient, Invalid) as error:
        wrong_key = " 401" in str(error) or " 403" in str(error)
        key = place.key_env or place.key_file or "key_env"
        advice = f"check the key in {key}" if wrong_key else "is it up?"
        return f"no list of models from {place.base_url}: {error}; {advice}"
    finally:
        await endpoint.aclose()

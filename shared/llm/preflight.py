"""Before anything starts: does every endpoint answer, take the key, and serve the model its role needs?"""

import asyncio

from shared.errors import Refusal, Transient
from shared.llm.endpoint import Endpoint
from shared.llm.roles import RoleModel, Roles

TIMEOUT_S = 5.0


async def probe_endpoints(roles: Roles) -> list[str]:
    """One line per role that could not work, naming role, address and what to do; empty when all is well."""
    playing = roles.playing()
    places = {model.place: model for model in playing.values()}
    served = dict(zip(places, await asyncio.gather(*map(_served, places.values())), strict=True))
    lines = []
    for role, model in playing.items():
        found = served[model.place]
        if isinstance(found, str):
            lines.append(f"{role}: {found}")
        elif model.model not in found:
            names = ", ".join(found) or "nothing"
            lines.append(f"{role}: no model {model.model} at {model.base_url}; it serves {names}")
    return lines


async def _served(model: RoleModel) -> list[str] | str:
    """Names of the models served, or what is wrong."""
    try:
        endpoint = Endpoint(model.endpoint, model.base_url, model.key())
    except Refusal as refusal:
        return str(refusal)
    try:
        return await endpoint.models(TIMEOUT_S)
    except Transient as error:
        wrong_key = " 401" in str(error) or " 403" in str(error)
        advice = f"check the key in {model.api_key_env or 'api_key_env'}" if wrong_key else "is it up?"
        return f"no list of models from {model.base_url}: {error}; {advice}"
    finally:
        await endpoint.aclose()

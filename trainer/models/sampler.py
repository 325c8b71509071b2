"""Opens the sampler of a stage for every phase that samples: served by an endpoint, or in this process."""

from pathlib import Path

from trainer.models import weights
from trainer.models.sampling import InProcessSampler, Sampler
from trainer.models.served import ServedSampler, hash_endpoint, load_served_models
from trainer.recipe import Evaluate, Recipe


def open_sampler(
    served: Path | None, stage: str, model: str, recipe: Recipe, evaluation: Evaluate
) -> tuple[Sampler, str | None]:
    """Return the sampler, and a name of the endpoint for files of its completions; None in this process."""
    file = load_served_models(served) if served else None
    if file and (role_model := file.models.get(stage)):
        endpoint = file.endpoints[role_model.endpoint]
        return ServedSampler(endpoint, role_model, recipe, evaluation), hash_endpoint(role_model, endpoint)
    return InProcessSampler(weights.load_for_sampling(model), weights.load_tokenizer(model), recipe, evaluation), None

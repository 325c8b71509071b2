"""Models behind any OpenAI-compatible endpoint: which model has which role, prompts as files, answers as values.

budget_guard.py     reserves budget for a call
call_metrics.py     metrics of calls, by endpoint, model and service
channel.py          one endpoint: its client, its limiter and its budget
client.py           a chat model with a prompt, in one role
embeddings.py       similarity of texts by an embeddings endpoint
endpoint.py         HTTP client of one endpoint
errors.py           how a call can fail
models.py           the models of one process, by role
models_config.py    loads the models file and the API keys
plan_budget.py      checks the plan's budget against the models
preflight.py        checks every endpoint before a start
profile.py          parameters that an endpoint accepts
prompts.py          prompts as Markdown files
response_models.py  schemas of structured answers
sanitize.py         makes a model's text harmless for the prompt of another
limiter/            how many calls are in flight
replies/            reads what endpoints and models reply
"""

from shared.llm.models import Models
from shared.llm.models_config import load_models_config
from shared.llm.preflight import probe_endpoints
from shared.llm.prompts import Prompt

__all__ = ["Models", "Prompt", "load_models_config", "probe_endpoints"]

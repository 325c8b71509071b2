"""Models behind any OpenAI-compatible endpoint: who plays which role, prompts as files, answers as values."""

from shared.llm.models import Models
from shared.llm.models_config import load_models_config
from shared.llm.preflight import probe_endpoints
from shared.llm.prompts import Prompt

__all__ = ["Models", "Prompt", "load_models_config", "probe_endpoints"]

"""Models behind any OpenAI-compatible endpoint: who plays which role, prompts as files, answers as values."""

from shared.llm.models import Models
from shared.llm.preflight import probe_endpoints
from shared.llm.prompts import Prompt
from shared.llm.roles import RoleModel, Roles

__all__ = ["Models", "Prompt", "RoleModel", "Roles", "probe_endpoints"]

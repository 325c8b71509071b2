from shared.config import settings


class Settings(settings.Settings):
    """Verifier: CHIMERA_SERVICE says which of the two, verifier-a or verifier-b."""

    service: str = "verifier-a"

    @property
    def model_role(self) -> str:
        """Role of its model in the models file."""
        return self.service.replace("-", "_")

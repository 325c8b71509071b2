from shared.config import settings


class Settings(settings.Settings):
    """Verifier: CHIMERA_SERVICE is verifier-a or verifier-b."""

    service: str = "verifier-a"

    @property
    def model_role(self) -> str:
        """Role of its model in the models file."""
        return self.service.replace("-", "_")

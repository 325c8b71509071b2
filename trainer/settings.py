"""Settings of the trainer service."""

from pathlib import Path

from shared.config import settings


class Settings(settings.Settings):
    """One run at a time; a run takes hours. Further releases are received, so that only the newest is trained next."""

    service: str = "trainer"
    in_flight: int = 8
    recipe: Path = Path("recipe.yaml")
    """The recipe, such as trainer/configs/paper.yaml."""
    runs: Path = Path("runs")
    """Parent folder of the run folders, one for each release."""
    judge: Path | None = None
    """Models file whose `judge` compares answers that no rule can."""
    grace_s: float = 0.0
    """Seconds that a run keeps training after SIGTERM. The service always waits for its checkpoint."""

"""NVIDIA Data Designer: four columns of text, without the profile of the finished dataset, which wants the network."""

from typing import Any

import data_designer.config as dd
from data_designer.interface import DataDesigner
from job import Job, run

COLUMNS = {
    "problem": ("short", "Write a problem, number {{ number }}."),
    "verdict_a": ("short", "Is this a good problem? {{ problem }}"),
    "verdict_b": ("short", "Can this problem be solved? {{ problem }}"),
    "solution": ("long", "Solve {{ problem }}. Verdicts: {{ verdict_a }} {{ verdict_b }}"),
}


class Designer(DataDesigner):
    """Stops the clock when the dataset is written."""

    job: Job

    def _create_dataset_profiler(self, *arguments: Any, **options: Any) -> Any:
        self.job.stop()
        return super()._create_dataset_profiler(*arguments, **options)


def work(job: Job) -> int:
    """Create the dataset; each column has a model of its own."""
    urls = {"short": job.short_url, "long": job.long_url}
    providers = [dd.ModelProvider(name=name, endpoint=f"{url}/v1", api_key="none") for name, url in urls.items()]
    parallel = dd.ChatCompletionInferenceParams(max_parallel_requests=job.in_flight)
    models = [
        dd.ModelConfig(alias=name, model=name, provider=provider, inference_parameters=parallel, skip_health_check=True)
        for name, (provider, _) in COLUMNS.items()
    ]
    config = dd.DataDesignerConfigBuilder(model_configs=models)
    numbers = dd.UniformSamplerParams(low=0, high=1e9)
    config.add_column(dd.SamplerColumnConfig(name="number", sampler_type=dd.SamplerType.UNIFORM, params=numbers))
    for name, (_, prompt) in COLUMNS.items():
        config.add_column(dd.LLMTextColumnConfig(name=name, prompt=prompt, model_alias=name))
    designer = Designer(artifact_path=job.folder, model_providers=providers)
    designer.job = job
    return len(designer.create(config, num_records=job.problems).load_dataset())


if __name__ == "__main__":
    run(work)

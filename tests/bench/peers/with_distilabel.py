"""distilabel: a pipeline of four tasks, each in a process of its own; the verifiers are branches."""

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import GroupColumns, KeepColumns, LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration
from job import Job, run


def work(job: Job) -> int:
    """Run the pipeline; the solver waits for both verdicts."""

    def model(url: str) -> OpenAILLM:
        return OpenAILLM(model="m", base_url=f"{url}/v1", api_key="none")

    def task(name: str, url: str, template: str, columns: list[str]) -> TextGeneration:
        return TextGeneration(
            name=name,
            llm=model(url),
            template=template,
            columns=columns,
            output_mappings={"generation": name, "model_name": f"{name}_model"},
            input_batch_size=job.in_flight,
        )

    with Pipeline(name="four-stages", cache_dir=str(job.folder)) as pipeline:
        rows = [{"number": number} for number in range(job.problems)]
        load = LoadDataFromDicts(name="load", data=rows, batch_size=job.in_flight)
        write = task("problem", job.short_url, "Write a problem, number {{ number }}.", ["number"])
        first = task("verdict_a", job.short_url, "Is this a good problem? {{ problem }}", ["problem"])
        second = task("verdict_b", job.short_url, "Can this problem be solved? {{ problem }}", ["problem"])
        both = GroupColumns(name="both", columns=["problem"], output_columns=["problems"])
        keep = KeepColumns(name="keep", columns=["problems"])
        solve = task("solution", job.long_url, "Solve {{ problems }}", ["problems"])
        load >> write >> [first, second] >> both >> keep >> solve
    return len(pipeline.run(use_cache=False)["default"]["train"])


if __name__ == "__main__":
    run(work)

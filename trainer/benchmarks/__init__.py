"""Public benchmarks, described by the YAML files in this folder. The user supplies the questions; none are shipped.

descriptor.py     what a benchmark's file must look like and how it is sampled
questions.py      reads the user's file
contamination.py  overlap of a benchmark with the training rows
report.py         the card's table of benchmarks
"""

from trainer.benchmarks.descriptor import Benchmark, load_benchmark
from trainer.benchmarks.report import render_table

__all__ = ["Benchmark", "load_benchmark", "render_table"]

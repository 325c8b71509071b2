"""Similarity of texts, and their control characters. Pure functions, for screening, the dataset card and the trainer.

words.py          normalised words and word pairs
quantities.py     numbers in base units
overlap.py        n-gram overlap with many texts
clusters.py       clusters of problems of one template
benchmarks.py     reads the questions of a benchmark
contamination.py  detects problems of a benchmark
languages.py      recognises a text in another language than the expected one
controls.py       removes what would control a terminal or a page, and quotes
"""

"""What the terminal and the pages say about a dataset: each question is answered here once.

audit_rates.py      what became of planted errors and of controls
card.py             the dataset card
contamination.py    rows that match benchmark questions
coverage.py         topics and distinct problems of each subject
export_stats.py     the card's numbers, counted during the export
funnel.py           counts from the events on the log
plots.py            plots of a dataset for a paper
rejects.py          what was rejected, and why
review_queue.py     which items are worth a look of a person
statistics.py       the figures of a dataset
versions.py         releases, and the difference between two
wrong_keys.py       the estimated share of wrong keys
"""

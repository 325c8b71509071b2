"""One module a page: from the dataset, or the log, to what the page's template shows.

card.py          the card of a release
dead_letters.py  what could not be handled
factory.py       how the run is doing: funnel, rate, yield, cost, time left, coverage, audits
prompts.py       the prompt behind a model call
rejects.py       what was refused, both answers side by side
releases.py      releases, one release with its figures, the difference between two
review.py        which items are worth a person's look, the most doubtful first
sample.py        one item, kept or refused: the evidence, the answers, the thinking, where it came from
samples.py       rows by their columns and by text
"""

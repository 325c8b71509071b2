"""Pages that are made from the code, and tests that hold pages to it.

journey.py      follows a tutorial, command by command: `python -m tests.docs.journey`
reference.py    writes the generated pages: `python -m tests.docs.reference`
cli_page.py     every command with its options
keys_page.py    keys of plan, models file and recipe
events_page.py  events, from the AsyncAPI document
metrics_page.py  metrics, from the catalogue and the recording rules
scale_page.py   what a factory needs for a number of rows a month
markdown.py     tables
"""

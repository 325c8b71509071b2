"""Pages that are made from the code, and what holds pages to it.

reference.py   writes the generated pages of docs/reference: `python -m tests.docs.reference`
cli_page.py    every command with its options
keys_page.py   keys of plan, models file and recipe
events_page.py events, from the AsyncAPI document
metrics_page.py  metrics, from the catalogue and the recording rules
markdown.py    tables
"""

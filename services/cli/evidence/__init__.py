"""Problems that a person brings, and stored ones that are judged or solved again.

commands.py         the command-line interface
feeding.py          publishes problems, a limited number at a time, and waits for their ends
import_file.py      a file's records as problems; for each other record, the reason
import_problems.py  `chimera import`
item_ends.py        the ends of problems, from the dataset
progress.py         the progress bar
reverify.py         `chimera reverify`
reverify_report.py  what a run of `chimera reverify` found
resolve.py          `chimera resolve`
resolve_command.py  its command-line interface
resolve_report.py   what a run of `chimera resolve` changed
run_lock.py         one such command at a time in a folder
stored_items.py     stored items with all their evidence
stored_run.py       one run of stored items through some services
working_stack.py    the stack that runs already, or one for the time of the command
"""

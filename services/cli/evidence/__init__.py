"""Problems that a person brings, and stored ones that are judged again; what all runs of stored items share.

commands.py         the command-line interface
feeding.py          publishes problems, a limited number at a time, and waits for their ends
figures.py          differences, shares and costs as a report writes them
import_file.py      a file's records as problems; for each other record, the reason
import_problems.py  `chimera import`
item_ends.py        the ends of problems, from the dataset
output.py           what a run prints: its needs before, and its end
progress.py         the progress bar
reverify.py         `chimera reverify`
reverify_report.py  what a run of `chimera reverify` found
run_lock.py         one such command at a time in a folder
stored_items.py     stored items with all their evidence
stored_run.py       one run of stored items through some services
working_stack.py    the stack that runs already, or one for the time of the command
"""

"""Modules that several commands use.

atomic_folder.py      a folder that appears whole or not at all
budget_status.py      spending against the plan's budget
dataset_location.py   where the dataset is, its numbers, and the plan of the last run
exit_status.py        exit status of an outcome
help_group.py         help that cuts no summary
interrupts.py         Ctrl-C and SIGTERM
kafka_connection.py   the Kafka that a command uses
models_config.py      the models of a run, and the files that services read
names.py              names of the one-machine stack's factory and simulator
options.py            command-line options of `run`, `up` and `check`
process_metrics.py    readiness and metrics of running processes
race.py               concurrent tasks until the first ends
run_config.py         the checked configuration of a run
sanitize_terminal.py  removes control sequences from models' text
"""

"""A run folder: its state, its progress, the forecast of its costs.

run_folder.py         the folder: lock, results of phases, manifest
launcher.py           starts a phase in several processes
log.py                log lines on stderr
call_file.py          journal of answered model calls
progress.py           progress.json, and the service's metrics made from it
progress_callback.py  writes progress.json during a training
stop_callback.py      log lines during a training; stops it with a checkpoint
costs.py              formulas for time and memory
devices.py            devices that a forecast knows
lengths.py            lengths in tokens of the rows
exit_status.py        exit statuses of a phase
forecast.py           what every phase of a run takes
dry_run.py            prints the forecast
"""

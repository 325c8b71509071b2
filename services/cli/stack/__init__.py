"""`chimera up`, `down`, `status`, `scale`, `plan apply`, `logs`: a stack that runs in the background.

apply.py               gives a running stack another plan
commands.py            the command-line interface of these commands
down.py                stops a stack
logs.py                prints logs
scale.py               changes the number of processes of a service
state.py               the state of a stack
status.py              prints the state
status_report.py       the state as a document and as text
supervisor_main.py     the supervisor's process
supervisor_process.py  starts that process
up.py                  starts the stack
"""

"""The one-machine stack: real Kafka, real Valkey, every service a process.

control_socket.py  requests from a command to a running supervisor
download.py        download of Kafka's jars, with progress
events.py          progress events of the stack
fork/              processes forked from one process, which has imported their modules
health.py          readiness polling
kafka.py           the Kafka broker: settings and command line
kafka_jars.py      the list of Kafka's jars, their download and check
orphans.py         ends the processes of a killed supervisor
ports.py           free TCP ports
process.py         one supervised process
process_spec.py    the description of a service to run
state_file.py      `stack.json`
supervisor.py      starts, supervises and stops the whole stack
valkey.py          the Valkey server: settings and command line
workdir.py         the state folder
"""

"""Settings and configuration files.

connections.py    how to reach Kafka and Valkey
environment.py    reads settings from the environment
file_loader.py    loads a YAML or JSON file into a schema, and reports all mistakes
followed_file.py  a file that may change while a process runs, such as the plan
plan_loader.py    loads the plan
safe_yaml.py      YAML with limits: no alias that repeats, none that refers to itself, no nesting beyond reason
settings.py       settings of all processes
topics_loader.py  loads a file of topics
"""

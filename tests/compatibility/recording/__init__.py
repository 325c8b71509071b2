"""Scripts that made the files in `recorded/`, with the code of the previous version, commit 863caff.

documents.py  what `--json` prints about the recorded folder, and the columns of exports
factory.py    a killed run of a factory, and the code of the previous version
records.py    events, states, files and public names
trainer.py    a killed run of the trainer
valkey.py     keys and values in Valkey

    git worktree add /tmp/previous 863caff
    export PYTHONPATH=/tmp/previous
    .venv/bin/python -P tests/compatibility/recording/records.py
    .venv/bin/python -P tests/compatibility/recording/valkey.py
    .venv/bin/python -P tests/compatibility/recording/factory.py /tmp/previous
    .venv/bin/python -P tests/compatibility/recording/documents.py
    .venv/trainer/bin/python -P tests/compatibility/recording/trainer.py

The imports in the scripts are those of that commit: do not rename them. The plans and the models file in `recorded/`
are written by hand. The other files:

    code.tar.xz     services, shared and schemas of the previous version
    factory.tar.xz  the folder of a killed `chimera run`, and the simulator's log of answered calls. One verifier had
                    not answered for some problems, and some events had answered calls but were not finished. Nothing
                    in it expires.
    factory.json    the log and Valkey just before the kill: snapshots, waiting verdicts, calls, commit notes
    events.json     one record of each event type with every field set, and dead letters
    state.json      the panel's state, the planner's state and a commit note with every field set
    documents.json  shapes of `--json` documents about the recorded folder, and columns of exports
    valkey.json     each key as text to compare and as Valkey's own dump to load
    files.json      the plans and the models file as the previous version read them
    surface.json    variables, commands with options, metrics, Kafka topics, groups and prompts
    trainer.tar.xz  the folder of a training run that was killed during evaluation
"""

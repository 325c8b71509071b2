"""How `recorded/` came about: each script writes what the version before left behind, with that version's own code.

    git worktree add /tmp/before 863caff
    export PYTHONPATH=/tmp/before
    .venv/bin/python -P tests/compatibility/recording/records.py
    .venv/bin/python -P tests/compatibility/recording/valkey.py
    .venv/bin/python -P tests/compatibility/recording/factory.py /tmp/before
    .venv/trainer/bin/python -P tests/compatibility/recording/trainer.py

The imports in the scripts are those of that commit and stay so. The plans and the models file are written by hand.

code.tar.xz       services, shared and schemas of that commit, for a factory of two versions
factory.tar.xz    a folder of `chimera run` that was killed, and the simulator's log of answered calls: verdicts wait at
                  the panel, calls are answered whose events are not finished. Nothing in it expires.
factory.json      what a reader of the log found in it just before: snapshots, waiting verdicts, calls, commit notes
events.json       one record of each event type with every field set, and dead letters
state.json        the panel's case, the planner's state and a commit's note with every field set
valkey.json       keys and values after fixed steps, as text to compare and as Valkey's own dump to load
files.json        the plans and the models file as that code understood them
surface.json      names that users and other programs hold: variables, options, metrics, Kafka topics, prompts
trainer.tar.xz    a run folder of the trainer that was killed while it measured models
"""

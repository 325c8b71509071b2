"""The command `chimera`.

audit.py       `chimera audit`
console.py     `chimera console`
train.py       `chimera train`
wrong_keys.py  prints the estimated share of wrong keys, for `chimera audit`
check/         `chimera check`
common/        modules that several commands use
dataset/       `chimera dataset`
evidence/      `chimera import`, `reverify`, and what all runs of stored items share
kafka/         `chimera kafka`, `chimera dead-letters`
probe/         `chimera probe`
resolve/       `chimera resolve`
review/        `chimera review`
run/           `chimera run`
start/         `chimera init`, `preview`
stack/         `chimera up`, `down`, `status`, `scale`, `logs`
"""

"""The command `chimera`.

audit.py       `chimera audit`
train.py       `chimera train`
wrong_keys.py  estimated share of wrong keys, for `chimera audit` and the card of an export
check/         `chimera check`
common/        modules that several commands use
dataset/       `chimera dataset`
kafka/         `chimera kafka`, `chimera dead-letters`
run/           `chimera run`
stack/         `chimera up`, `down`, `status`, `scale`, `logs`
"""

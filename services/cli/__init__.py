"""The command `chimera`.

audit.py    `chimera audit`
console.py  `chimera console`
train.py    `chimera train`
check/      `chimera check`
common/     modules that several commands use
dataset/    `chimera dataset`
kafka/      `chimera kafka`, `chimera dead-letters`
run/        `chimera run`
stack/      `chimera up`, `down`, `status`, `scale`, `logs`
"""

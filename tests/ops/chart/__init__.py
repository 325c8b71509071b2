"""Checks of the Helm chart, without a cluster.

check.py       schemas, invariants, changes, and values that must be refused
render.py      renders the chart
invariants.py  rules beyond what a schema can express
changes.py     what a change of values replaces, and what a value reaches
policy.py      checkov on the production values
crds.py        strict schemas of custom resources
"""

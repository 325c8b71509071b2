"""Events and the flow between services, as data.

audit_tag.py  the tag of an audit item
belief.py     belief in a key, and its parameters
flow.py       events, Kafka topics and services, and how they are connected
identity.py   derived ids, seeds and hashes
item.py       a problem with everything known about it
model.py      base of all values on the log
outcomes.py   tiers, kinds of evidence, admissions
run_tag.py    the tag of copies of stored problems
spend.py      cost of model calls, by model
codegen/      JSON Schemas, AsyncAPI, checks of compatibility
config/       the files that a person writes
events/       one file per noun
"""

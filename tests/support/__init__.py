"""Helpers that several tests share.

kafka_world.py        a factory on the test broker, seen from outside its services
runtime_writer.py     a problem_writer in the test's process
items.py              items, events and records
planning.py           plans and events for the planner's tests, and a factory without a broker
fake_models.py        a scripted model, and events for handlers
fake_endpoint.py      a model endpoint with limits and faults
verification_sim.py   verification policies on problems with known truth
duplicates.py         duplicates and edits of problems
injections.py         prompt injections
answer_pairs.py       labelled pairs of answers
s3_store.py           a local S3 server
tls_kafka.py          a broker with TLS, passwords and ACLs
"""

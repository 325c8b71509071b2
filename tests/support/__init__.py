"""Helpers that several tests share.

answer_draws.py      pairs of answers drawn by kind, equal by rewriting or different by one small change, for tests
answer_pairs.py      labelled pairs of answers
duplicates.py        duplicates and edits of problems
fake_endpoint.py     a model endpoint with limits and faults
fake_models.py       a scripted model, and events for handlers
fixed_endpoint.py    an endpoint that answers with fixed bytes
injections.py        prompt injections
items.py             items, events and records
kafka_world.py       a factory on the test broker, seen from outside its services
planning.py          plans and events for the planner's tests, and a factory without a broker
real_servers.py      model servers of other projects
runtime_writer.py    a problem_writer in the test's process
s3_store.py          a local S3 server
tls_kafka.py         a broker with TLS, passwords and ACLs
verification_sim.py  verification policies on problems with known truth
"""

"""The join of the panel, run by Faust.

loop.py                     runs the join: events of one key in order, others side by side
app.py                      the Faust app and its changelog table
offset_keeping_consumer.py  a Faust consumer that keeps its own offsets
"""

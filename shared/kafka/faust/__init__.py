"""The join of the panel, run by Faust.

loop.py                     runs the join, one event at a time
app.py                      the Faust app and its changelog table
offset_keeping_consumer.py  a Faust consumer that keeps its own offsets
"""

"""Reads what endpoints and models reply.

json_reader.py         reads the JSON object in a model's reply
latex_escapes.py       restores LaTeX commands whose backslash JSON has read as an escape
sse.py                 reads server-sent events
stream_accumulator.py  collects the chunks of an answer
structured_output.py   asks for an answer by JSON Schema
thinking.py            separates the thinking from the text
wire.py                parses what an endpoint sends
wire_error.py          parses the errors that an endpoint reports
"""

"""Files generated from the schemas, and checks of their compatibility.

asyncapi.py       the AsyncAPI document
compatibility.py  finds incompatible changes of events
export.py         writes and checks the generated files
"""

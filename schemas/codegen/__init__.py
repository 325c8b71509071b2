"""Files generated from the schemas, and checks of their compatibility.

asyncapi.py         the AsyncAPI document
compatibility.py    finds incompatible changes of events
deployment.py       the parts of Compose, Prometheus, Alertmanager, chart and `.env.example` that follow from the flow
export.py           writes and checks the generated files
new_service.py      writes the skeleton of a service
service_entries.py  enters a new service in the files that declare it
settings_source.py  settings, read from their source: names, explanations, defaults
"""

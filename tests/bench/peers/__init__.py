"""The four-stage job done by other libraries, each in an environment of its own: `make bench-peers`.

environments.py        installs a peer, once
job.py                 arguments and result of a peer's program
with_curator.py        Bespoke Curator
with_data_designer.py  NVIDIA Data Designer
with_datatrove.py      Hugging Face DataTrove
with_distilabel.py     distilabel
"""

"""`chimera dataset export`: writes one view of one version, with a dataset card.

command.py         the command
record_formats.py  the formats of records
"""

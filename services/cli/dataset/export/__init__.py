"""`chimera dataset export`: writes one view of one version, with a dataset card.

card.py            the dataset card
command.py         the command
export_stats.py    the card's numbers, counted during the export
record_formats.py  the formats of records
"""

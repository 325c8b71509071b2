"""`chimera dataset`: inspects and changes the dataset.

commands.py        the command-line interface of the commands that read
contamination.py   rows that match benchmark questions, as a table
delete.py          `delete`
rebuild.py         `rebuild`
rejects.py         `rejects`
show.py            `show`
stats.py           `stats`
versions.py        `versions`, `diff`
write_commands.py  the command-line interface of the commands that write
export/            `export`
"""

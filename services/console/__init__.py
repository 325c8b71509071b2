"""Read-only pages of the dataset: what was kept and why it is believed, what was refused and why.

beliefs.py        beliefs of rows
bundle.py         one release as a static site
dataset_cache.py  the dataset as pages read it: opened every few seconds, releases at their versions
delimiters.py     where mathematics begins and ends in Markdown
filters.py        the parameters of an address, parsed by types
live.py           the funnel, followed on the log
mathematics.py    TeX to MathML by an allow-list
server.py         routes, headers, errors
settings.py       address, port, names
text.py           models' text as inert HTML
views.py          templates, links, formats
pages/            one module a page: from the dataset, or the log, to what its template shows
"""

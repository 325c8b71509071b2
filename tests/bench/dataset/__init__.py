"""How the dataset grows.

growth.py  what commits cost and leave on the disk, how long a dataset takes to open and to read
idle.py    one problem after the other through an idle factory
loader.py  fills a dataset of any size quickly
"""

"""How the dataset grows.

growth.py  what commits cost and leave on the disk, how long a dataset takes to open and to read
loader.py  fills a dataset of any size quickly
"""

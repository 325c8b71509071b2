"""Processes that are forked from one process, which has imported their modules (Linux).

client.py  starts the server and asks it for processes
server.py  imports the modules, then forks
"""

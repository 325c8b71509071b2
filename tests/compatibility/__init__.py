"""Folders, logs and files of the previous version still work, and its services work beside today's.

names.py                today's names of everything that these tests import
recordings.py           reads the recorded files
recording/              scripts that made the recorded files, with the code of the previous version
test_documents.py       `--json` documents and exports of the recorded folder
test_resume.py          a killed run resumes
test_two_versions.py    services of two versions in one factory
test_valkey.py          keys and values in Valkey
test_version_before.py  events, states, tables, files and public names
"""

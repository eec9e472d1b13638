"""Fuzzing by coverage (atheris, which is optional): what is read in from others' files.

Atheris changes bytes so that they reach lines which no bytes before them have reached.
"""

"""``make torture``: stages that are killed, whose calls fail and whose files are damaged, counted.

A stage runs as the command line does, in a process forked from one that has loaded the libraries:
so a round takes as long as the stage. Everything happens in a temporary folder.
"""

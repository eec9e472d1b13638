"""The verbs: one file a stage or command; the only code that reads or writes the pipeline's
files.
"""

"""The verbs beside the stages: one file a command."""

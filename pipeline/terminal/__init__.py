"""What results look like in a terminal: rich tables, no computation."""

"""What evaluate writes: metrics, tables, figures."""

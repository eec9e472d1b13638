"""Two versions on one page: compare's verdict, what differs in their params, and both panels."""

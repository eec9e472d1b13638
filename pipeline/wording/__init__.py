"""Names, numbers and sentences that the terminal and the page share."""

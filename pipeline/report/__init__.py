"""The page: one self-contained HTML file that shows what was asked, done and found."""

"""Where a training keeps what is no output: names below the data folder."""

RESUME = ".resume"
FAILURE = "failure.json"

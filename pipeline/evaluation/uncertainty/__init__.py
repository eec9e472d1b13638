"""How sure a value is: intervals, resampling, sample sizes."""

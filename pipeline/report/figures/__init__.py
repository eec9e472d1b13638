"""Pictures in files beside the page, for `dvc plots`."""

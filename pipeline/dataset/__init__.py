"""The on-disk dataset: Arrow shards that open without a copy, and one dataset.json.

>>> from pipeline.dataset import Dataset
>>> data = Dataset("data/generated")
"""

from pipeline.dataset.reader import Dataset

__all__ = ["Dataset"]

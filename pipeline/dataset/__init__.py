"""The on-disk dataset: Arrow shards that open without a copy, and one dataset.json.

>>> from raresight.pipeline.dataset import Dataset
>>> data = Dataset("data/generated")
"""

from raresight.pipeline.dataset.reader import Dataset

__all__ = ["Dataset"]

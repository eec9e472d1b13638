"""Real images that a table lists, with their labels and whatever else is known of them."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from raresight.generators.base import BadImages
from raresight.generators.image_file import readable_name
from raresight.generators.real.columns import Columns
from raresight.generators.real.images import ImageOptions, RealImages
from raresight.generators.real.row import Listing
from raresight.generators.real.rows import listing_of
from raresight.generators.real.tables import BadTable, read_table


class TableOptions(ImageOptions):
    """Which table, which folder its files are relative to, and what its columns say.

    ``path``: CSV (any separator), TSV, Parquet, JSON lines or Arrow. ``images``: by default the
    folder of the table.
    """

    path: Annotated[str, Field(min_length=1)]
    images: Annotated[str, Field(min_length=1)] | None = None
    columns: Columns = Columns()

    @property
    def reads(self) -> tuple[str, ...]:
        return self.path, self.images or str(Path(self.path).parent)


class Table(RealImages):
    """A row an image: its file and label, and if known its group, split, mask and id.

    Every other column becomes a factor, so that results can be sliced by it.
    """

    summary = "real images that a table lists (CSV, Parquet, JSON lines, Arrow)"
    options = TableOptions

    config: TableOptions

    @property
    def place(self) -> str:
        return f"table '{readable_name(self.config.path)}'"

    def _list(self) -> Listing:
        path = Path(self.config.path)
        images = Path(self.config.images) if self.config.images else path.parent
        try:
            table = read_table(path)
        except BadTable as error:
            raise BadImages(str(error)) from None
        return listing_of(table, self.config.columns, path, images=images)

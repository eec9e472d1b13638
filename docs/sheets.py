"""Draw the contact sheet of each scenario into docs/sheets: python docs/sheets.py [SCENARIO...]"""

import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.dataset import Dataset
from pipeline.dataset.sheet import write_sheet
from pipeline.stages import generate

ROOT = Path(__file__).resolve().parents[1]
PER_CLASS = 6
MANY = 3  # of each of more than 8 classes


def draw(scenario: Path, target: Path) -> None:
    """The sheet of a few images of every class, drawn as the scenario says."""
    yaml = YAML(typ="safe")
    document = yaml.load(scenario)
    for source in document["generate"]["sources"]:
        if "count" in source:
            source["count"] = 1500
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder) / "params.yaml"
        yaml.dump({"generate": document["generate"]}, params)
        made = Dataset(generate.run(params, Path(folder) / "data"))
        few = PER_CLASS if len(made.classes) <= 8 else MANY
        write_sheet(made, target, per_class=few)


if __name__ == "__main__":
    names = sys.argv[1:] or sorted(path.stem for path in (ROOT / "params").glob("*.yaml"))
    (ROOT / "docs/sheets").mkdir(exist_ok=True)
    for name in names:
        draw(ROOT / f"params/{name}.yaml", ROOT / f"docs/sheets/{name}.jpg")
        size = (ROOT / f"docs/sheets/{name}.jpg").stat().st_size
        print(f"docs/sheets/{name}.jpg: {size / 1000:.0f} KB")

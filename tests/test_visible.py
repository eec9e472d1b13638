"""What comes from outside is shown in a terminal, and not obeyed."""

import io

import pyarrow as pa
import pytest
from program import invoke
from rich.text import Text

from raresight.pipeline.evaluation.predictions_table import parse
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.runtime.visible import visible
from raresight.pipeline.terminal.printing import Printed
from raresight.pipeline.terminal.tables import titled_table

EVIL = "well\x1b[2J\x9b\r"
SHOWN = r"well\x1b[2J\x9b\x0d"


def test_control_characters_are_written_out_and_the_rest_is_left():
    assert visible(EVIL) == SHOWN
    assert visible("caf\u00e9 [/red]\n\tnext") == "caf\u00e9 [/red]\n\tnext"


def test_no_name_is_obeyed_in_tables_texts_messages_and_errors(capsys, tmp_path):
    table = titled_table(EVIL)
    table.add_column(EVIL)
    table.add_row(EVIL)
    file = io.StringIO()
    console = Printed(file=file, width=80, force_terminal=True, highlight=False, markup=False)
    console.print(table, Text(EVIL))
    assert file.getvalue().count(SHOWN.removesuffix(r"\x0d")) == 4  # rich may drop a return
    assert "\x1b[2J" not in file.getvalue()
    say(EVIL)
    assert capsys.readouterr().err == f"{SHOWN}\n"
    failed = invoke("--data", tmp_path / EVIL, "verify")
    assert failed.exit_code == 66
    assert SHOWN in failed.stderr
    assert "\x1b" not in failed.stderr


def test_a_table_of_scores_with_such_names_is_refused():
    columns = {"id": ["a", "b"], "label": ["0", "1"], "score": [0.1, 0.9]}
    parse(pa.table(columns | {"note": ["over", EVIL]}), "scores.csv")
    for name in ("id", "group", "factor.site"):
        given = pa.table(columns | {name: ["over", EVIL]})
        with pytest.raises(DataError, match=rf"row 2: {name} 'well\\x1b"):
            parse(given, "scores.csv", positive="1")
    scores = {"id": ["a"], "label": [EVIL], "score.ill": [0.5], f"score.{EVIL}": [0.5]}
    with pytest.raises(DataError, match="columns have control characters"):
        parse(pa.table(scores), "scores.csv")

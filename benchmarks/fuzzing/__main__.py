"""``python -m benchmarks.fuzzing TARGET --minutes N``: 1 where anything was found.

Needs atheris (``pip install atheris``; wheels are for Linux), which is no requirement of Raresight.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HANG = 10.0  # seconds of computing after which an input hangs
_NAMES = ("dataset", "table", "params", "image")
_MEMORY = 4000  # MB
_DONE = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzzing", description=__doc__)
    parser.add_argument("target", choices=_NAMES)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="a folder that keeps what reached new lines")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("this needs atheris, which Raresight does not: pip install atheris", file=sys.stderr)
        return 78
    if asked.inside:
        _fuzz(asked.target, asked.corpus, asked.minutes, asked.seed)
    with tempfile.TemporaryDirectory() as place:
        corpus = (asked.corpus or Path(place) / "corpus").resolve()
        corpus.mkdir(parents=True, exist_ok=True)
        return _supervise(asked.target, corpus, asked.minutes, asked.seed)


def _supervise(target: str, corpus: Path, minutes: float, seed: int) -> int:
    """Fuzz in a process, and in another where an input has ended it, until the time is up."""
    start, tries, covered, ended = time.monotonic(), 0, 0, 0
    while (left := minutes - (time.monotonic() - start) / 60) > 0.05:
        words = [target, "--inside", "--corpus", corpus, "--minutes", left, "--seed", seed + ended]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.fuzzing", *map(str, words)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        tries += sum(map(int, _DONE.findall(done.stderr)))
        covered = max([covered, *map(int, _COVERED.findall(done.stderr))])
        if done.returncode == 0:
            break
        ended += 1
        print(f"a process ended with {done.returncode}:\n{done.stderr[-1500:]}")
        if ended >= 20:
            break
    found = _found(corpus)
    for line in found:
        print(f"{line['error']} at {line['where']}, in {line['file']}")
    print(
        f"{target}: {(time.monotonic() - start) / 60:.1f} minutes, {tries:,} inputs, {covered:,} "
        f"edges reached, {len(found)} kinds of errors, {ended} ended processes"
    )
    return 1 if found or ended else 0


def _notes(corpus: Path) -> Path:
    return corpus.with_name(f"{corpus.name}.found")


def _found(corpus: Path) -> list[dict[str, str]]:
    places = sorted(_notes(corpus).glob("*.json")) if _notes(corpus).is_dir() else []
    return [json.loads(path.read_text()) for path in places]


def _fuzz(target: str, corpus: Path, minutes: float, seed: int) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["raresight"]):
        from benchmarks.fuzzing.targets import TARGETS, temporary
    one, notes = TARGETS[target], _notes(corpus)
    notes.mkdir(exist_ok=True)
    place = temporary()
    folder, seeds = Path(place.name), Path(place.name) / "seeds"
    seeds.mkdir()
    os.chdir(folder)  # relative paths in params lead nowhere
    for number, content in enumerate(one.seeds(folder)):
        one.read(folder, content)  # as it is, it can be read
        (seeds / str(number)).write_bytes(content)

    def test(content: bytes) -> None:
        if not content:
            return
        start = time.process_time()
        try:
            one.read(folder, content)
        except one.answers:
            pass
        except Exception as error:
            _note(notes, content, type(error).__name__ + f": {error}", _where(error))
        if time.process_time() - start > HANG:
            _note(notes, content, "hangs", f"{time.process_time() - start:.0f} s")

    flags = {
        "max_total_time": max(1, round(60 * minutes)),
        "timeout": 300,  # by the clock, which on a busy machine says little
        "rss_limit_mb": _MEMORY,
        "max_len": one.longest,
        "print_final_stats": 1,
        "seed": seed,
        "artifact_prefix": f"{notes}/",
        "verbosity": 1,
    }
    given = [f"-{name}={value}" for name, value in flags.items()]
    atheris.Setup([sys.argv[0], str(corpus), str(seeds), *given], test)
    atheris.Fuzz()


def _where(error: Exception) -> str:
    """The innermost lines of our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f"{Path(one.filename).name}:{one.lineno}"
        for one in frames
        if "fuzzing" not in one.filename and "site-packages" not in one.filename
    ]
    return " < ".join(own[::-1][:3])


def _note(notes: Path, content: bytes, error: str, where: str) -> None:
    """Keep the first input of each kind of error."""
    name = re.sub(r"\W+", "-", f"{error.split(':')[0]}-{where}")[:100]
    if not (notes / f"{name}.json").exists():
        (notes / name).write_bytes(content)
        told = {"error": error[:300], "where": where, "file": name}
        (notes / f"{name}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    sys.exit(main())

"""How Raresight was installed, and so what installs an extra beside it."""

import json
import os
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

_NAME = "raresight"
_LINE = re.compile(rf"pip install '{_NAME}\[(?P<extras>[\w,.-]+)\]'")
_ROOT = Path(__file__).resolve().parents[2]  # of a checkout; site-packages of an installed package


def as_installed(text: str) -> str:
    """``text`` with every ``pip install 'raresight[EXTRA]'`` as it works here.

    From a checkout that is the folder, from a wheel or an archive the file or address it came from.
    """
    return _LINE.sub(lambda found: install_line(found["extras"]), text)


def install_line(extras: str) -> str:
    """The line that installs ``extras`` (``ray`` or ``ray,timm``) beside what is installed."""
    quote = '"' if os.name == "nt" else "'"
    if (checkout := _checkout()) is not None:
        place = "." if checkout == Path.cwd() else str(checkout)
        return f"pip install -e {quote}{place}[{extras}]{quote}"
    address = _address()
    origin = f" @ {address}" if address else ""
    return f"pip install {quote}{_NAME}[{extras}]{origin}{quote}"


def _checkout() -> Path | None:
    """The folder with the setup.cfg that this code runs from; None for an installed copy."""
    return _ROOT if (_ROOT / "setup.cfg").is_file() else None


def _address() -> str | None:
    """Where pip took the package from, as PEP 610 records it; None for a package index.

    A file that is gone installs nothing again, and is not named.
    """
    try:
        record = distribution(_NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    told: dict[str, Any] = json.loads(record) if record else {}
    address: str | None = told.get("url")
    if address and address.startswith("file:"):
        path = Path(url2pathname(urlsplit(address).path))
        return address if path.exists() else None
    if address and "vcs_info" in told:
        return f"{told['vcs_info']['vcs']}+{address}@{told['vcs_info']['commit_id']}"
    return address

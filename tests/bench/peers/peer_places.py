"""Where peers are installed, each in a folder of its own, and what to fill their commands with."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from peers import Peer

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CACHE = ROOT / ".bench"
INSTALL_SECONDS = 900


class NotInstalled(Exception):
    """A peer cannot be had here; the message says why."""


def folder_of(peer: Peer) -> Path:
    """Return the folder of a peer's packages."""
    return CACHE / peer.name.replace(" ", "-")


def install(peer: Peer) -> None:
    """
    Install a peer by the names of its packages, unless that was done before.

    Raises:
        NotInstalled: a package manager or a Python is missing, or could not install it.
    """
    place = folder_of(peer)
    stamp, wanted = place / "installed.txt", "\n".join(peer.requires)
    if not peer.requires or (stamp.exists() and stamp.read_text(encoding="utf-8") == wanted):
        return
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if peer.uses == "npm":
        _install_npm(peer, place)
    else:
        _ran([_python(peer.python), "-m", "venv", str(place)])
        options = ("-qq", "--disable-pip-version-check", "--no-input")
        _ran([str(place / "bin" / "python"), "-m", "pip", "install", *options, *peer.requires])
    stamp.write_text(wanted, encoding="utf-8")


def filled(template: str, peer: Peer, values: Mapping[str, object]) -> list[str]:
    """Return the words of a command."""
    place = folder_of(peer)
    known = {
        "python": sys.executable,
        "clients": HERE / "clients",
        "bin": place / "bin",
        "modules": place / "node_modules",
        **values,
    }
    return [word.format_map(known) for word in template.split()]


def _install_npm(peer: Peer, place: Path) -> None:
    if shutil.which("npm") is None:
        raise NotInstalled("no npm was found")
    # Without a package.json of its own npm would install into the project's.
    (place / "package.json").write_text('{"private": true}\n', encoding="ascii")
    options = ("--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", "--save-exact")
    _ran(["npm", "install", "--prefix", str(place), *options, *peer.requires])


def _python(version: str) -> str:
    if not version:
        return sys.executable
    names = (os.environ.get("PYTHON" + version.replace(".", "")), f"python{version}")
    for name in filter(None, (*names, *map(str, _of_pyenv(version)))):
        try:
            _ran([name, "-c", "import sys"])
        except NotInstalled:
            continue
        return name
    variable = f"PYTHON{version.replace('.', '')}"
    raise NotInstalled(f"it needs Python {version}, which was not found; name one in {variable}")


def _of_pyenv(version: str) -> list[Path]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return sorted((root / "versions").glob(f"{version}.*/bin/python{version}"))


def _ran(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"`{shlex.join(command[:4])} ...`: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        said = lines[-1] if lines else f"exit code {done.returncode}"
        raise NotInstalled(f"`{shlex.join(command[:4])} ...` failed: {said}")

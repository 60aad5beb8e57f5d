"""
ponder: `python ponder_client.py URL CONTRACT LAST FOLDER MODULES`, or `count FOLDER MODULES`.

`ponder start` indexes and then serves for ever; it is stopped as soon as it says it is ready. Its
database is PGlite, its default, in FOLDER.
"""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from time import sleep

APP = Path(__file__).parent / "ponder"


def _command(folder: Path, script: str, *words: str) -> list[str]:
    modules = folder / "node_modules"
    return [str(modules / "node" / "bin" / "node"), str(folder / script), *words]


def _run(url: str, contract: str, last: str, folder: str, modules: str) -> int:
    place = Path(folder)
    shutil.copytree(APP, place, dirs_exist_ok=True)
    (place / "node_modules").symlink_to(modules)
    port = _free_port()
    told = {"RPC": url, "CONTRACT": contract, "LAST": last, "PONDER_TELEMETRY_DISABLED": "true"}
    words = ["start", "--schema", "bench", "--port", str(port), "--log-format", "json"]
    command = _command(place, "node_modules/ponder/dist/esm/bin/ponder.js", *words)
    with subprocess.Popen(command, cwd=place, env=os.environ | told) as ponder:
        while ponder.poll() is None and not _is_ready(port):
            sleep(0.1)
        if ponder.returncode is not None:
            return ponder.returncode or 1
        ponder.terminate()
    return 0


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as told:
            return bool(told.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    if sys.argv[1] == "count":
        shown = _command(Path(sys.argv[2]), "count.mjs")
        sys.exit(subprocess.run(shown, cwd=sys.argv[2], check=False).returncode)
    sys.exit(_run(*sys.argv[1:]))

"""The process between us and sd-scripts: ``python leash.py FOLDER COMMAND…`` runs COMMAND in FOLDER.

It leads a process group of its own and kills all of it when its standard input closes, so that sd-scripts and its data
loaders never outlive the trainer, even one that ends by kill -9. Its exit status is the command's, or 128 + n after
signal n. It is run as a file, without the packages of the studio.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the command and wait for it."""
    folder, *command = sys.argv[1:]
    threading.Thread(target=_end_with_trainer, daemon=True).start()
    child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, close_fds=False)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _end_with_trainer() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())

"""Where the pages keep what visitors send until it has gone to the API."""

import shutil
import tempfile
from pathlib import Path

SWEEP_SECONDS = 60
KEPT_SECONDS = 600
"""How long a copy stays. Nobody may erase one earlier: Gradio names it by its content, so that two visitors who send
the same photo at the same time share it."""


def keep_uploads_in(folder: Path) -> None:
    """Let this process keep its temporary files in folder, emptied of what a killed one left there.

    No other process may use the folder. Gradio puts its uploads there too when it is imported afterwards.
    Raises OSError when the folder cannot be made or emptied.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    tempfile.tempdir = str(folder)

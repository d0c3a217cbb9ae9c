"""Ties a child to its parent: `python -m command_line.tether PARENT_PID COMMAND…` becomes COMMAND.

The kernel then sends it SIGTERM when the parent is gone, also after kill -9 (Linux prctl(2), PR_SET_PDEATHSIG, which
execve keeps). The tie is to the parent's thread, so children are to be started from its main thread.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)  # it died before the tie was there
    os.execv(command[0], command)


if __name__ == "__main__":
    main()

"""The fpstudy command, also as `python -m fpstudy`.

`python -m` looks for modules in the folder that it runs in first: one with a study in it could hold
a numpy.py. So that folder is taken off the path, unless fpstudy itself is there.
"""

import signal
import sys
from pathlib import Path

import fpstudy
from fpstudy.interrupts import heeded

INTERRUPTED = 130


def main() -> None:
    """Run the command of the line; Ctrl-C ends it with 130 from its first moment to its last."""
    try:
        with heeded():
            from fpstudy.cli import main as command

            command(prog_name="fpstudy")
    except KeyboardInterrupt:  # while the commands are loaded, or end
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    if not sys.flags.safe_path and Path(sys.path[0]) != Path(fpstudy.__file__).parent.parent:
        del sys.path[0]
    main()

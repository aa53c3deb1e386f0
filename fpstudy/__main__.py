"""`python -m fpstudy` is the fpstudy command.

`python -m` looks for modules in the folder that it runs in first: one with a study in it could hold
a numpy.py. So that folder is taken off the path, unless fpstudy itself is there.
"""

import sys
from pathlib import Path

import fpstudy

if not sys.flags.safe_path and Path(sys.path[0]) != Path(fpstudy.__file__).parent.parent:
    del sys.path[0]

from fpstudy.cli import main

main(prog_name="fpstudy")

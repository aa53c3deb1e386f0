"""`python -m fpstudy` is the fpstudy command."""

from fpstudy.cli import main

main(prog_name="fpstudy")

"""Run tutorial.ipynb anew, and keep its outputs in it.

    pip install -e '.[notebook]'
    python experiments/make_tutorial.py

The notebook runs in a folder of its own that is removed; the file keeps the cells as they are, and
of the run nothing but the outputs: no times, no paths, no facts about the kernel.
"""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

TUTORIAL = Path(__file__).with_name("tutorial.ipynb")
SECONDS = 300  # for one cell, on a machine with other things to do
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook as run in the folder; raises CellExecutionError where a cell does."""
    client = NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": folder}})
    own = {"IPYTHONDIR": str(folder / ".ipython")}  # nobody's profile has a say
    return client.execute(env=os.environ | own)


def kept(notebook: NotebookNode) -> NotebookNode:
    """The notebook without what differs from run to run and machine to machine."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        for output in cell.get("outputs", ()):
            output.pop("transient", None)
    return notebook


def main() -> None:
    notebook = nbformat.read(TUTORIAL, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        done = kept(executed(notebook, Path(folder)))
    nbformat.write(done, TUTORIAL)
    print(f"{TUTORIAL.name}: {len(done.cells)} cells, {TUTORIAL.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""Given inputs by the numbers that they hold."""

import re

import pandas as pd

from fpstudy.report.numbers import magnitude
from fpstudy.report.variants import input_name

MOST = 4  # logits of a vector that a label spells out


def input_names(record: pd.DataFrame) -> dict[str, str]:
    """A label for each given input: "1: [1000, 0]" for the vector that the record shows whole."""
    written = record.loc[record["worst_input"] != "", ["distribution", "worst_input"]]
    texts = dict(written.drop_duplicates("distribution").itertuples(index=False, name=None))
    names = record["distribution"].unique().tolist()
    return {str(name): _vector(str(name), str(texts.get(name, ""))) for name in names}


def _vector(name: str, text: str) -> str:
    """The label of one input; its name where the record holds no whole vector."""
    number = re.fullmatch(r"explicit\[(\d+)\]", name)
    try:
        logits = [float.fromhex(token) for token in text.split()]
    except ValueError:
        logits = []
    if not number or not logits:
        return input_name(name)
    said = [magnitude(x) for x in logits[:MOST]] + ["..."] * (len(logits) > MOST)
    return f"{number[1]}: [{', '.join(said)}]"

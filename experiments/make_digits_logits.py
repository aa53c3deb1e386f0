"""Logits of a trained classifier on the test half of scikit-learn's digits, before the softmax.

Run from the checkout, after `pip install -e '.[real-logits]'`:

    python experiments/make_digits_logits.py

It writes `digits_logits.npy` and its provenance `digits_logits.md` beside itself. Everything is
seeded and runs on one thread, so the same versions on the same machine give the same bytes; another
BLAS may sum in another order and give other last bits.
"""

import hashlib
import io
import platform
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

HERE = Path(__file__).resolve().parent
LOGITS = HERE / "digits_logits.npy"
PROVENANCE = HERE / "digits_logits.md"

SEED = 0
HIDDEN = (64, 64)
EPOCHS = 300
LEARNING_RATE = 0.01
LARGEST_PIXEL = 16  # a power of two, so that scaling to [0, 1] rounds nothing


def affine_relu_logits(x: Array, weights: list[Array], biases: list[Array]) -> Array:
    """x W_1 + b_1 -> relu -> ... -> x W_k + b_k in float32; x: (rows, pixels), gives (rows, 10)."""
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        x = np.maximum(x @ W + b, np.float32(0))
    return x @ weights[-1] + biases[-1]


def train() -> tuple[Array, float, dict[str, str]]:
    """(logits of the test half, its accuracy, versions); trained with no regularisation."""
    import sklearn
    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    pixels, digit = load_digits(return_X_y=True)
    x = (pixels / LARGEST_PIXEL).astype(np.float32)
    x_train, x_test, digit_train, digit_test = train_test_split(
        x, digit, test_size=0.5, stratify=digit, random_state=SEED
    )
    # alpha = 0 and tol = 0: nothing holds the weights back, so margins grow to the last epoch.
    net = MLPClassifier(
        HIDDEN,
        alpha=0.0,
        learning_rate_init=LEARNING_RATE,
        max_iter=EPOCHS,
        tol=0.0,
        n_iter_no_change=EPOCHS,
        random_state=SEED,
    )
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(x_train, digit_train)
        logits = affine_relu_logits(x_test, net.coefs_, net.intercepts_)
    if logits.dtype != np.float32 or not np.all(np.isfinite(logits)):
        raise SystemExit(f"want finite float32 logits, got {logits.dtype}")
    versions = {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }
    return logits, float(np.mean(np.argmax(logits, axis=-1) == digit_test)), versions


def npy_bytes(logits: Array) -> bytes:
    """The .npy file of the logits, without pickle."""
    file = io.BytesIO()
    np.save(file, logits, allow_pickle=False)
    return file.getvalue()


def statistics(logits: Array) -> list[tuple[str, str]]:
    """What the logits are like, as (quantity, value): all computed from the stored values."""
    x = np.sort(logits.astype(np.float64), axis=-1)
    margin, spread = x[:, -1] - x[:, -2], x[:, -1] - x[:, 0]
    return [
        ("rows (samples)", f"{len(logits)}"),
        ("classes", f"{logits.shape[1]}"),
        ("smallest logit", f"{x.min():.6g}"),
        ("largest logit", f"{x.max():.6g}"),
        ("smallest magnitude", f"{np.abs(x).min():.6g}"),
        ("median magnitude", f"{np.median(np.abs(x)):.6g}"),
        ("standard deviation", f"{x.std():.6g}"),
        ("margin of the top class, smallest", f"{margin.min():.6g}"),
        ("margin of the top class, median", f"{np.median(margin):.6g}"),
        ("margin of the top class, largest", f"{margin.max():.6g}"),
        ("largest minus smallest logit of a row, median", f"{np.median(spread):.6g}"),
        ("largest minus smallest logit of a row, largest", f"{spread.max():.6g}"),
    ]


def provenance(logits: Array, sha256: str, accuracy: float, versions: dict[str, str]) -> str:
    """The text beside the file; every number in it comes from the arguments or the constants."""
    rows = "\n".join(f"| {quantity} | {value} |" for quantity, value in statistics(logits))
    layers = " and ".join(map(str, HIDDEN))
    made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"""# digits_logits.npy

The logits (before the softmax) of a small trained classifier on handwritten digits it has not seen:
real inputs for [real_logits.toml](real_logits.toml). This text is written by
[make_digits_logits.py](make_digits_logits.py) together with the file.

| file | |
|---|---|
| SHA-256 | `{sha256}` |
| shape | {logits.shape} |
| dtype | {logits.dtype} |
| bytes | {len(npy_bytes(logits))} |

## How it was made

A multilayer perceptron (scikit-learn's `MLPClassifier`, rectified linear units, hidden layers of
{layers}, Adam at learning rate {LEARNING_RATE}, {EPOCHS} epochs, no regularisation,
no early stopping, seed {SEED}) was trained in float32 on one half of the digits, split by class at
the same seed, pixels divided by {LARGEST_PIXEL}. The file holds what the trained layers give for
the other half, computed by NumPy in float32 and stored as computed. A net trained without
regularisation is sure of itself: the margins are large.

Accuracy on these rows: {accuracy:.4f}.

Made with {made_with}, on one thread; the same versions on the same
machine give the same bytes. Another BLAS may give other last bits, and then other margins.

    pip install -e '.[real-logits]' && python experiments/make_digits_logits.py

## What it is like

| quantity | value |
|---|---|
{rows}

## Source and licence of the data

The digits are those bundled with scikit-learn (`sklearn.datasets.load_digits`), a copy of the test
set of E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
Repository, 1998, <https://doi.org/10.24432/C50P49>, licensed CC BY 4.0. The logits are derived from
them; no image and no label is in the file.
"""


def main() -> None:
    """Train, write the two files, print what was written."""
    logits, accuracy, versions = train()
    data = npy_bytes(logits)
    sha256 = hashlib.sha256(data).hexdigest()
    LOGITS.write_bytes(data)
    PROVENANCE.write_text(provenance(logits, sha256, accuracy, versions), encoding="utf-8")
    print(f"{LOGITS.name}: {logits.shape} {logits.dtype}, {len(data)} bytes, SHA-256 {sha256}")
    print(f"accuracy {accuracy:.4f}, logits from {logits.min():.6g} to {logits.max():.6g}")


if __name__ == "__main__":
    main()

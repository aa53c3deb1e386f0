"""Files of logits: what they hold is read exactly, and a hostile one is refused for little."""

import io
import os
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from fpstudy import logit_files
from fpstudy.cases import expand
from fpstudy.logit_files import LogitsError, file_logits, read_logits
from fpstudy.manifest import sha256
from fpstudy.samples import logits
from fpstudy.study import load


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    """A .npy file with this header, whatever it says."""
    head = header.encode("latin-1") + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(head))
    return b"\x93NUMPY" + bytes([version, 0]) + length + head + data


def dictionary(shape: str, descr: str = "'<f8'", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def patched(content: bytes, mark: bytes, offset: int, new: bytes) -> bytes:
    """The archive with bytes of its table of contents replaced."""
    at = content.rindex(mark) + offset
    return content[:at] + new + content[at + len(new) :]


STUDY = (
    'schema = 1\nname = "s"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n'
    'distribution = "file"\nfile = "x.npy"\n'
)
X = np.array([[1.5, -2], [0.25, 1e-30]], dtype=np.float32)
GOOD: dict[str, bytes] = {
    "a.npy": saved(X),
    "fortran.npy": saved(np.asfortranarray(X)),
    "big_endian.npy": saved(X.astype(">f4")),
    "second.npy": npy(dictionary("(2, 2)", "'<f4'"), X.tobytes(), version=2),
    "stored.npz": zipped(("x.npy", saved(X)), method=zipfile.ZIP_STORED),
    "compressed.npz": zipped(("x.npy", saved(X))),
    "a.csv": b"1.5, -2\n0.25, 1.0000000031710769e-30\n",
    "mark.csv": b'\xef\xbb\xbf"1.5",-2\r\n\r\n , \r\n0.25,1.0000000031710769e-30',
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_read_exactly(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GOOD[name])
    np.testing.assert_array_equal(read_logits(tmp_path / name), X.astype(float), strict=True)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u8", "i8", ">i2"])
def test_numbers_become_float64_exactly(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "one.npy", np.array([3, 4], dtype=dtype))
    assert read_logits(tmp_path / "one.npy").tolist() == [[3, 4]]


@pytest.mark.parametrize("beside", ["0", "0x0p0"])  # all at once, and one by one
def test_a_decimal_is_rounded_to_float64_and_to_nothing_narrower(
    tmp_path: Path, beside: str
) -> None:
    (tmp_path / "x.csv").write_text(f"0.1, 16777217, 1.0000000000000002, {beside}\n")
    assert read_logits(tmp_path / "x.csv").tolist() == [[0.1, 2.0**24 + 1, 1 + 2.0**-52, 0]]


def test_a_csv_takes_hex_infinities_and_zeros(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("0x1.8p-3, -inf, 0.000e5\n-0, -0X0.Cp0, Infinity\n+.5,1.,2e1\n")
    assert read_logits(tmp_path / "x.csv").tolist() == [
        [0.1875, -np.inf, 0], [0, -0.75, np.inf], [0.5, 1, 20],
    ]  # fmt: skip


def test_a_csv_of_many_lines_is_read_to_its_end(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(logit_files.PART // 40, 3))
    x[1], x[-1] = 0, np.inf
    np.savetxt(tmp_path / "x.csv", x, fmt="%.17g", delimiter=",")
    np.testing.assert_array_equal(read_logits(tmp_path / "x.csv"), x)
    with (tmp_path / "x.csv").open("a") as file:
        file.write("1,2,1_0\n")
    with pytest.raises(LogitsError, match=f"line {len(x) + 1}: '1_0' is not a number"):
        read_logits(tmp_path / "x.csv")


@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_are_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Literal["C", "F"]
) -> None:
    monkeypatch.setattr(logit_files, "PART", 7)
    x = np.asarray(np.arange(60.0).reshape(12, 5), order=order)
    np.save(tmp_path / "x.npy", x)
    np.savez_compressed(tmp_path / "x.npz", x)
    for name in ("x.npy", "x.npz"):
        np.testing.assert_array_equal(read_logits(tmp_path / name), x, strict=True)
        assert file_logits(tmp_path / name).sha256 == sha256(tmp_path / name)
    x[8, 3] = np.nan
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(LogitsError, match="NaN at row 8, column 3"):
        read_logits(tmp_path / "x.npy")


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_a_gigabyte_is_read_no_further_than_to_the_first_nan(tmp_path: Path, name: str) -> None:
    header = npy(dictionary(f"(1, {logit_files.MAX_NUMBERS})"))
    if name == "x.npy":
        with (tmp_path / name).open("wb") as file:
            file.write(header + np.array([np.nan]).tobytes())
            file.truncate(len(header) + 8 * logit_files.MAX_NUMBERS)
    else:
        nans = np.full(logit_files.PART, np.nan).tobytes()
        with (
            zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("x.npy", "w", force_zip64=True) as member,
        ):
            member.write(header)
            for _ in range(logit_files.MAX_NUMBERS // logit_files.PART):
                member.write(nans)
    start = time.process_time()
    tracemalloc.start()
    with pytest.raises(LogitsError, match="NaN at row 0, column 0"):
        read_logits(tmp_path / name)
    parts = tracemalloc.get_traced_memory()[1] - 8 * logit_files.MAX_NUMBERS
    tracemalloc.stop()
    assert parts < 64 * 2**20  # beside the room for its numbers, which is not touched
    assert time.process_time() - start < 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [2**63 - 1, 2**64 - 1, -(2**63) + 1, 2**53 + 1])
def test_integers_that_are_no_float64_are_refused(tmp_path: Path, number: int) -> None:
    np.save(tmp_path / "x.npy", np.array([number]))
    with pytest.raises(LogitsError, match=r"integers beyond 2\*\*53 are no float64 values"):
        read_logits(tmp_path / "x.npy")


@pytest.mark.parametrize("number", [2**53, 2**63, -(2**63), 2**63 - 1024])
def test_large_integers_that_are_float64_are_read(tmp_path: Path, number: int) -> None:
    np.save(tmp_path / "x.npy", np.array([number]))
    assert read_logits(tmp_path / "x.npy").tolist() == [[float(number)]]


DEEP = "(" * 4000 + ")" * 4000
ZIP = zipped(("x.npy", saved(X)))
END = b"PK\x05\x06"
BAD: dict[str, tuple[bytes, str]] = {  # name: content, words
    "objects.npy": (saved(np.array([{}, 1], dtype=object)), "nothing is unpickled"),
    "nested.npy": (npy(dictionary("(1, 2)", "[('a', '|O')]"), bytes(16)), "nothing is unpickled"),
    "text.npy": (saved(np.array([["a"]])), "want numbers"),
    "record.npy": (saved(np.zeros(2, dtype="f4,f4")), "want numbers"),
    "bool.npy": (saved(np.array([[True]])), "want numbers"),
    "long.npy": (saved(np.zeros((1, 2), dtype=np.longdouble)), "want numbers of up to 64 bits"),
    "complex.npy": (saved(np.zeros((1, 2), dtype=complex)), "want numbers"),
    "cube.npy": (saved(np.zeros((2, 2, 2))), "want rows of logits .* got shape"),
    "scalar.npy": (saved(np.float64(3)), r"want rows of logits .* got shape \(\)"),
    "empty.npy": (saved(np.zeros((0, 3))), "want rows of logits"),
    "nan.npy": (saved(np.array([[1.0, np.nan]])), "NaN at row 0, column 1"),
    "integers.npy": (saved(np.array([[2**53 + 1]])), "beyond 2"),
    "nothing.npy": (b"", "does not begin as a .npy"),
    "cut.npy": (b"\x93NUMPY", "its version is"),
    "half.npy": (saved(X)[:-4], r"says shape \(2, 2\), 16 bytes; 12 follow"),
    "twice.npy": (saved(X) * 2, "16 bytes; 160 follow"),
    "enormous.npy": (npy(dictionary("(1000000000000, 8)")), "64,000,000,000,000 bytes; 0 follow"),
    "digits.npy": (npy(dictionary(f"({'9' * 4000},)")), "more bytes than any file has; 0 follow"),
    "below.npy": (npy(dictionary("(-1, -8)"), bytes(64)), r"shape \(-1, -8\)"),
    "true.npy": (npy(dictionary("(True, 2)"), bytes(16)), r"says shape \(True, 2\)"),
    "deep.npy": (npy(dictionary(DEEP)), "none that NumPy writes"),
    "minus.npy": (npy(dictionary("-" * 9000 + "1")), "none that NumPy writes"),
    "open.npy": (npy("{'descr': ("), "none that NumPy writes"),
    "indented.npy": (npy("  {\n 1:\n   2\n  3"), "none that NumPy writes"),
    "padded.npy": (npy(dictionary("(1, 1)") + " " * 60_000, bytes(8)), "none that NumPy writes"),
    "code.npy": (npy("__import__('os').abort()"), "none that NumPy writes"),
    "third.npy": (npy(dictionary("(1, 1)"), bytes(8), 2).replace(b"Y\x02", b"Y\x03"), "version"),
    "pickle.npy": (b"\x80\x04\x95cposix\nabort\n(tR.", "does not begin as a .npy"),
    "not.npz": (b"PK", "does not begin as a .npz"),
    "pickle.npz": (b"cposix\nabort\n(tR.", "does not begin as a .npz"),
    "cut.npz": (ZIP[:-30], "no table of contents"),
    "garbage.npz": (b"PK\x03\x04" + bytes(100), "no table of contents"),
    "none.npz": (b"PK\x03\x04" + zipped(), "want one array, got 0"),
    "two.npz": (zipped(("a.npy", saved(X)), ("b.npy", saved(X))), "want one array, got 2"),
    "other.npz": (zipped(("a.txt", b"hello")), "does not begin as a .npy"),
    "hidden.npz": (
        patched(zipped(("a.npy", saved(X)), ("b.npy", saved(X))), END, 10, b"\x01\0"),
        "want one array, got 2",
    ),
    "lzma.npz": (zipped(("x.npy", saved(X)), method=zipfile.ZIP_LZMA), "otherwise than NumPy"),
    "objects.npz": (zipped(("x.npy", saved(np.array([{}])))), "nothing is unpickled"),
    "bomb.npz": (zipped(("x.npy", saved(X) + bytes(2**25))), "16 bytes; 33,554,448 follow"),
    "claims.npz": (
        zipped(("x.npy", npy(dictionary("(40000, 1000000)")))), "320,000,000,000 bytes; 0 follow"
    ),
    "directory.npz": (patched(ZIP, END, 12, b"\xff\xff\xff\x7f"), "not that of one array"),
    "zip64.npz": (
        ZIP[: ZIP.rindex(END)] + b"PK\x06\x07" + bytes(16) + ZIP[ZIP.rindex(END) :],
        "not that of one array",
    ),
    "checksum.npz": (patched(ZIP, b"PK\x01\x02", 16, b"\0\0\0\0"), "Bad CRC-32"),
    "locked.npz": (patched(ZIP, b"PK\x01\x02", 8, b"\x01\0"), "it is encrypted$"),
    "method.npz": (patched(ZIP, b"PK\x01\x02", 10, b"\x63\0"), "otherwise than NumPy"),
    "size.npz": (patched(ZIP, b"PK\x01\x02", 24, b"\xff\xff\xff\x7f"), "2,147,483,519 follow"),
    "offset.npz": (patched(ZIP, b"PK\x01\x02", 42, b"\xff\xff\xff\x7f"), "cannot be read"),
    "deflate.npz": (patched(ZIP, b"x.npy", -500, b""), "cannot be read"),
    "ragged.csv": (b"1,2\n3\n", "line 2 has 1 numbers and those before it 2"),
    "words.csv": (b"1,2\n1,two\n", "line 2: 'two' is not a number"),
    "empty.csv": (b"", "no rows"),
    "blank.csv": (b"\n\n  , ,\n", "no rows"),
    "latin.csv": (b"1,\xe9\n", "can't decode byte 0xe9"),
    "utf16.csv": ("1,2\n".encode("utf-16"), "can't decode byte 0xff"),
    "nul.csv": (b"1,\x00\n", "line 1: .* is not a number"),
    "missing.csv": (b"1,,2\n", "line 1: '' is not a number"),
    "quoted.csv": (b'1,"2\n' + b"3,4\n" * 100_000, "field larger than field limit"),
    "endless.csv": (b"1.00," * 2**21, "a line of 8,388,608 characters or more: save it as .npy"),
    "many.csv": ((b"7," * 1023 + b"7\n") * 4097, "more than 4,194,304 numbers in text"),
    "field.csv": (b"1" * 200_000, "field larger than field limit"),
    "large.csv": (b"1e400", "'1e400' overflows float64"),
    "small.csv": (b"1e-400", "'1e-400' is not 0 but reads as 0.0"),
    "hex.csv": (b"0x1p9999", "'0x1p9999' is no float64 and would be rounded"),
    "hex_small.csv": (b"0x0.0ap-2000", "is no float64 and would be rounded"),
    "hex_long.csv": (b"-0x1.00000000000008p0", "is no float64 and would be rounded"),
    "hex_bomb.csv": (b"0x1p99999999", "is not a number"),
    "underscore.csv": (b"1,1_0", "'1_0' is not a number"),
    "arabic.csv": ("1,٣".encode(), "'٣' is not a number"),
    "digits.csv": (b"1" * 131_000 + b"x", "is not a number"),
    "nan.csv": (b"1,2\n\n-inf,nan", "NaN at row 1, column 1"),
    "escape.csv": (b"\x1b[2J", r"'\\x1b\[2J' is not a number"),
    "formula.csv": (b"=cmd|' /C calc'!A0", "is not a number"),
    "logits.pkl": (b"cposix\nabort\n(tR.", "want .npy, .npz or .csv, got '.pkl'"),
}  # fmt: skip
BAD["deflate.npz"] = (ZIP[:40] + b"\xff" * 20 + ZIP[60:], "cannot be read")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(tmp_path: Path, name: str) -> None:
    content, words = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LogitsError, match=f"^{name}: .*{words}"):
        read_logits(tmp_path / name)


SPARSE = {  # name: first bytes, words
    "huge.npy": (npy(dictionary("(1250000, 1000)")), "1,250,000,000 numbers; the limit is"),
    "zeros.npy": (b"", "does not begin as a .npy"),
    "zeros.npz": (b"", "does not begin as a .npz"),
    "huge.npz": (b"PK\x03\x04", "bytes; the limit is"),
    "huge.csv": (b"1,2\n", "bytes of text; the limit is .*: save it as .npy"),
}


def sparse(path: Path) -> None:
    """The file of that name, of ten gigabytes that take no room."""
    begin, _ = SPARSE[path.name]
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(10 * 10**9 + len(begin))


@pytest.mark.parametrize("name", SPARSE)
def test_ten_gigabytes_are_refused_unread(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparse(tmp_path / name)
    monkeypatch.setattr(logit_files, "_FORMS", {  # what would parse them is not come to
        suffix: (check, never) for suffix, (check, _) in logit_files._FORMS.items()
    })  # fmt: skip
    with pytest.raises(LogitsError, match=SPARSE[name][1]):
        read_logits(tmp_path / name)


def never(*_: object) -> np.ndarray:
    raise AssertionError


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (lambda path: None, "No such file"),
    "a folder": (Path.mkdir, "not a regular file|Is a directory"),
    "a pipe": (os.mkfifo, "not a regular file"),
    "a loop": (lambda path: path.symlink_to(path), "Too many levels"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
}


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_what_is_no_file_is_refused_and_does_not_block(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    make, words = NO_FILES[kind]
    path = tmp_path / f"x{suffix}"
    make(path)
    with pytest.raises(LogitsError, match=words):
        read_logits(path)


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("1,2\n")

    def grow(file: object, size: int) -> None:
        with path.open("a") as more:
            more.write("3,4\n")

    monkeypatch.setitem(logit_files._FORMS, ".csv", (grow, logit_files._csv))
    with pytest.raises(LogitsError, match="had 4 bytes and changed while it was read"):
        read_logits(path)


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, X)
    first = file_logits(path)
    assert file_logits(path) is first
    np.save(path, X + 1)
    os.utime(path, (1, 1))
    assert file_logits(path).x.tolist() == (X + 1).tolist()
    assert file_logits(path).sha256 != first.sha256
    path.unlink()
    with pytest.raises(LogitsError, match=r"x\.npy: cannot be read: No such file"):
        file_logits(path)


def test_a_link_is_read_as_its_own_name_says(tmp_path: Path) -> None:
    """Its file may have no ending, as in a cache that names files by what they hold."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "3f2a").write_text("1,2\n")
    (tmp_path / "x.csv").symlink_to("blobs/3f2a")
    (tmp_path / "s.toml").write_text(STUDY.replace("x.npy", "x.csv"))
    (case,) = expand(load(tmp_path / "s.toml"))[:1]
    assert case.demand.draw.distribution == "file:x.csv"
    assert logits(case.demand.draw).tolist() == [[[1, 2]]]


def test_logits_are_those_that_the_study_was_read_with(tmp_path: Path) -> None:
    """Whichever process draws them: the file is held against the digest that the case has."""
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "s.toml").write_text(STUDY)
    draw = expand(load(tmp_path / "s.toml"))[0].demand.draw
    assert logits(draw).shape == (2, 1, 2)
    np.save(tmp_path / "x.npy", X + 1)
    os.utime(tmp_path / "x.npy", (1, 1))
    with pytest.raises(LogitsError, match=r"x\.npy: has changed since the study was read"):
        logits(draw)
    assert repr(replace(draw, sha256="")) == repr(draw)  # seeds of random streams are of it

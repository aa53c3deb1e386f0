"""Nothing committed names a private host or a path of the machine it was written on."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What `uv lock` may write, and nothing else.
PACKAGE_HOSTS = frozenset({"pypi.org", "files.pythonhosted.org"})

# What a text for people may link to besides.
PUBLIC_HOSTS = PACKAGE_HOSTS | {
    "arxiv.org",
    "docs.python.org",
    "doi.org",
    "github.com",
    "json-schema.org",
}

# A form to fill in, which is no address of anybody.
FORMS = frozenset({"tcp://host:8786"})

ADDRESS = re.compile(r"""[a-z][a-z0-9+.-]*://[^\s"'<>`)\]}]*""", re.IGNORECASE)

# The look-behind keeps relative paths (reports/work/) out; addresses are removed before the search.
MACHINE_PATH = re.compile(
    r"(?<![\w.~-])/(?:work|root|opt|(?:home|Users)/[\w.-]+)/"
    r"|\b[A-Z]:\\Users\\"
    r"|\bfile:/"
)


def private_addresses(text: str, hosts: Iterable[str]) -> list[str]:
    """The addresses in text that are not https at one of the hosts, in their order."""
    return [
        address
        for address in ADDRESS.findall(text)
        # netloc, not hostname: a user, a password or a port makes an address private
        if address not in FORMS
        and (urlsplit(address).scheme != "https" or urlsplit(address).netloc not in hosts)
    ]


def machine_paths(text: str) -> list[str]:
    """The beginnings of absolute paths in text that only one machine has."""
    return MACHINE_PATH.findall(re.sub(r"https?://\S*", "", text))


def files_with_addresses() -> list[tuple[Path, frozenset[str]]]:
    names = ["pyproject.toml", ".ci/run", *(["README.md"] if (ROOT / "README.md").exists() else [])]
    studies = sorted((ROOT / "experiments").glob("*.toml"))
    texts = [*(ROOT / name for name in names), *studies]
    return [(ROOT / "uv.lock", PACKAGE_HOSTS), *((path, PUBLIC_HOSTS) for path in texts)]


def committed_texts() -> list[Path]:
    """The text files that git knows here; empty where this is no checkout."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return []
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()]


@pytest.mark.parametrize(
    ("path", "hosts"),
    [pytest.param(*row, id=str(row[0].relative_to(ROOT))) for row in files_with_addresses()],
)
def test_addresses_are_public(path, hosts):
    assert private_addresses(path.read_text(encoding="utf-8"), hosts) == []


def locked_packages() -> list[dict[str, Any]]:
    return tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]


def test_lock_takes_every_package_from_the_public_index():
    sources = [package["source"] for package in locked_packages() if package["name"] != "fpstudy"]
    assert len(sources) > 0
    assert [s for s in sources if s != {"registry": "https://pypi.org/simple"}] == []


def test_lock_is_of_the_dependencies_in_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {
        re.split(r"[^\w.-]", line)[0].lower().replace("_", "-")
        for group in groups
        for line in group
    }
    (ours,) = (package for package in locked_packages() if package["name"] == "fpstudy")
    assert {entry["name"] for entry in ours["metadata"]["requires-dist"]} == wanted


def test_no_committed_text_names_a_path_of_one_machine():
    texts = committed_texts()
    if not texts:
        pytest.skip("not a git checkout: nothing is committed here")
    found = {
        str(path.relative_to(ROOT)): hits
        for path in texts
        if (hits := machine_paths(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert found == {}


# Planted text is put together here, so that this file itself stays clean.
SLASH = "/"


@pytest.mark.parametrize(
    "text",
    [
        'registry = "http://pypi.org/simple"',  # no encryption
        'registry = "https://pypi.example.internal/simple"',
        'registry = "https://pypi.org.example/simple"',
        'registry = "https://name:secret@pypi.org/simple"',
        'registry = "https://pypi.org:8443/simple"',
        'registry = "https://127.0.0.1/simple"',
        'url = "git+ssh://git@github.com/a/b"',
        "--index-url=https://mirror.local/simple",
        "HTTPS://MIRROR.LOCAL/simple",
        'url = "file' + ':///srv/wheels"',
    ],
)
def test_private_address_is_found(text):
    assert len(private_addresses(text, PACKAGE_HOSTS)) == 1


@pytest.mark.parametrize(
    "text",
    [
        'source = { registry = "https://pypi.org/simple" }',
        "(see https://files.pythonhosted.org/packages/a.whl)",
        "a // b, scheme: none",
    ],
)
def test_public_address_passes(text):
    assert private_addresses(text, PACKAGE_HOSTS) == []


@pytest.mark.parametrize(
    "path",
    ["work/main/a.toml", "root/.cache", "opt/pypi", "home/someone/study.toml", "Users/someone/x"],
)
@pytest.mark.parametrize("before", ["", " ", '"', "'", "=", "(", "`", ":", "\n", "<"])
def test_machine_path_is_found(before, path):
    assert len(machine_paths(f"see{before or ' '}{SLASH}{path}")) == 1


def test_machine_path_as_an_address_or_of_windows_is_found():
    assert len(machine_paths("file" + ":///srv/a.npy")) == 1
    assert len(machine_paths("C:" + r"\Users\someone\a.npy")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "reports/work/README.md",
        "./opt/x and ../root/x and ~/work/x",
        "https://github.com/work/opt/root/x",
        "and/or roots, p / root / q",
        "profile: a",
        "/usr/bin/env bash",
    ],
)
def test_relative_path_or_link_passes(text):
    assert machine_paths(text) == []

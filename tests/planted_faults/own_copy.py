"""A plugin of pytest, copied beside the tests: they import the copy that they lie in."""

from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    import fpstudy

    package = Path(str(fpstudy.__file__)).resolve()
    assert package.is_relative_to(config.rootpath.resolve()), f"{package} is another fpstudy"

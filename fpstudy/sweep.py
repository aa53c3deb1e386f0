"""A sweep: the axes that are crossed, and the settings that hold for all its cases."""

import math
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from fpstudy.arithmetic import EVALUATORS
from fpstudy.axes import EXTENDED, NUMBER, Scale, among, axis, names, one_or_many, scaled
from fpstudy.formats import FORMATS
from fpstudy.mistakes import Mistake, Mistakes, at, got, show
from fpstudy.names import arithmetic_hint, dtype_hint
from fpstudy.numbers import extended, integer, positive, share, weight, finite
from fpstudy.problems import PROBLEMS
from fpstudy.table import Table

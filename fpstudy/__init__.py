"""Floating-point error of logit functions, measured against proven truth."""

__version__ = "0.1.0"

"""Imported before Polars in the process that workers are forked from: there are as many of them as cores."""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = "1"

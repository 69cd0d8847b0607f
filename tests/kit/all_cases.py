"""Every case, in one list."""

from __future__ import annotations

from importlib import import_module
from typing import Sequence

from .case import Case

CORE = ("cases_good", "cases_pe", "cases_cms", "cases_chain", "cases_time")
CONTAINERS = ("cases_msi", "cases_cab", "cases_script", "cases_cat", "cases_detached", "cases_review")


def all_cases(modules: Sequence[str] = CORE + CONTAINERS) -> list[Case]:
    return [case for name in modules for case in import_module("." + name, __package__).CASES]

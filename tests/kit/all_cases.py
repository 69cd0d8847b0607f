"""The cases of PE, CMS, chain and time, in one list."""

from __future__ import annotations

from importlib import import_module

from .case import Case

MODULES = ("cases_good", "cases_pe", "cases_cms", "cases_chain", "cases_time")


def all_cases() -> list[Case]:
    return [case for name in MODULES for case in import_module("." + name, __package__).CASES]

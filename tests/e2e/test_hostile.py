"""Every case of the kit for PE, CMS, chain and time, run against the built program."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable

import pytest

from tests.kit.all_cases import CORE, all_cases
from tests.kit.case import Case
from tests.kit.rules import RULES

CASES = all_cases(CORE)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case, check_case: Callable[[Any], None]) -> None:
    check_case(case)


def test_names_are_unique() -> None:
    assert [name for name, n in Counter(c.name for c in CASES).items() if n > 1] == []


def test_every_case_names_a_rule() -> None:
    assert [c.name for c in CASES if c.rule not in RULES] == []


def test_every_rule_has_a_case() -> None:
    assert sorted(set(RULES) - {c.rule for c in CASES}) == []


def test_refusals_outnumber_acceptances() -> None:
    refusals = sum(c.verdict != "accepted" for c in CASES)
    assert refusals >= 140 and refusals > len(CASES) - refusals


def test_every_refusal_names_its_reason() -> None:
    assert [c.name for c in CASES if c.verdict != "accepted" and not c.reasons] == []

"""Which characters a path may have and what they fold to (manifest/path.h; tests/tools/path_fold prints it) against Python's own Unicode
tables: every code point, alone and in pairs that normalise or fold together. Tables newer than the program's may know characters that the
program does not: these the test does not judge."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import pytest
from conftest import WRAPPER, built, run_wrapped

OURS = (17, 0, 0)                                                    # the Unicode version of manifest/path_fold.c
PYTHONS = tuple(int(part) for part in unicodedata.unidata_version.split("."))
# The tables are the same on every system. Under a wrapper, which is slow at a million lines: the two planes that have letters with cases.
CODES = [c for c in range(0x20000 if WRAPPER else 0x110000) if not 0xD800 <= c < 0xE000]
FORBIDDEN = set('<>:"|?*\\/') | {chr(c) for c in [*range(0x20), *range(0x7F, 0xA0)]}
JAMO = [*range(0x1100, 0x1200), *range(0xA960, 0xA980), *range(0xD7B0, 0xD800)]
# What has an effect without being seen (Default_Ignorable_Code_Point, which Python's tables do not have) and what some systems take for others.
IGNORED = [0xAD, 0x34F, 0x61C, *range(0x115F, 0x1161), *range(0x17B4, 0x17B6), *range(0x180B, 0x1810), *range(0x200B, 0x2010),
           *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0, *range(0xFFF0, 0xFFF9),
           *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)]
STAND_INS = range(0xF000, 0xF100)
NONCHARACTERS = [*range(0xFDD0, 0xFDF0), *(plane * 0x10000 + last for plane in range(17) for last in (0xFFFE, 0xFFFF))]

pytestmark = pytest.mark.skipif(PYTHONS > OURS, reason=f"Python's tables are of Unicode {unicodedata.unidata_version}, newer than the program's")


def ask(texts: list[str]) -> list[str | None]:
    """The key of each path, or None for one that is refused."""
    lines = "".join(" ".join(f"{ord(c):x}" for c in text) + "\n" for text in texts)
    done = run_wrapped(built("tools/path_fold"), input=lines, timeout=120, encoding="utf-8")
    assert done.returncode == 0 and not done.stderr, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == len(texts)
    assert all(a[:2] in ("= ", "- ") for a in answers)
    return ["".join(chr(int(c, 16)) for c in a[2:].split()) if a[0] == "=" else None for a in answers]


@lru_cache(maxsize=None)
def keys() -> dict[str, str]:
    """The key of every character that is accepted in the middle of a name."""
    asked = ask([f"x{chr(c)}x" for c in CODES])
    assert all(key is None or (key[0], key[-1]) == ("x", "x") for key in asked)
    return {chr(c): key[1:-1] for c, key in zip(CODES, asked) if key is not None}


def known() -> list[str]:
    """Characters that Python's tables have."""
    return [chr(c) for c in CODES if unicodedata.category(chr(c)) not in ("Cn", "Co")]


def composing() -> set[str]:
    """What composes with the character before it: the last one of each decomposition into two that composes again, and jamo."""
    parts = {}
    for c in known():
        fields = unicodedata.decomposition(c).split()
        if len(fields) == 2 and not fields[0].startswith("<") and unicodedata.normalize("NFC", c) == c:
            parts[chr(int(fields[1], 16))] = c
    return set(parts) | {chr(c) for c in range(0x1161, 0x1176)} | {chr(c) for c in range(0x11A8, 0x11C3)}


def foldings(text: str) -> set[str]:
    """What a file system could hold for `text` where case does not count: each form of normalising and of case, one after the other."""
    found = {text}
    for _ in range(3):
        found |= {unicodedata.normalize(form, t) for t in found for form in ("NFC", "NFD")}
        found |= {case(t) for t in found for case in (str.upper, str.lower, str.casefold)}
    return found


def simple_cases(c: str) -> set[str]:
    """One character's one-character cases."""
    return {other for other in (c.upper(), c.lower(), c.title(), c.casefold()) if len(other) == 1}


def test_an_accepted_character_is_its_own_normal_form_wherever_it_stands() -> None:
    joins = composing()
    accepted = set(keys()) & set(known())
    assert len(accepted) > (40_000 if WRAPPER else 120_000)
    for c in accepted:
        assert unicodedata.normalize("NFC", c) == c, f"U+{ord(c):04X} is not its own NFC"
        assert unicodedata.combining(c) == 0, f"U+{ord(c):04X} combines, and is put in order with others"
        assert c not in joins, f"U+{ord(c):04X} composes with what is before it"


def test_what_is_forbidden_ignored_or_taken_for_another_is_refused() -> None:
    accepted = set(keys())
    for c in [*map(ord, FORBIDDEN - {"/"}), *JAMO, *IGNORED, *STAND_INS, *NONCHARACTERS]:
        if not 0xD800 <= c < 0xE000:
            assert chr(c) not in accepted, f"U+{c:04X} is accepted"


def test_no_more_is_refused_than_there_are_reasons_for() -> None:
    """Letters, digits and symbols that compose with nothing are there to be used."""
    reasons = {chr(c) for c in [*JAMO, *IGNORED, *STAND_INS, *NONCHARACTERS, *range(0x2028, 0x202A), 0xFFF9, 0xFFFA, 0xFFFB] if not 0xD800 <= c < 0xE000}
    reasons |= FORBIDDEN | composing()
    named = {chr(c) for a, b in ((0x483, 0x489), (0x1AB0, 0x1AFF), (0x20D0, 0x20FF)) for c in range(a, b + 1)}   # marks, as whole blocks
    for c in set(known()) - set(keys()) - reasons - named:
        assert unicodedata.combining(c) or unicodedata.normalize("NFC", c) != c, f"U+{ord(c):04X} is refused"


def test_characters_of_one_case_fold_alike() -> None:
    of = keys()
    for c in set(known()) & set(of):
        for other in simple_cases(c):
            if other in of:
                assert of[c] == of[other], f"U+{ord(c):04X} and U+{ord(other):04X}: {of[c]!r} and {of[other]!r}"


def test_characters_that_map_to_the_same_fold_alike() -> None:
    of, groups = keys(), {}
    for c in set(known()) & set(of):
        for case in (str.upper, str.lower, str.casefold, lambda t: t.upper().casefold(), lambda t: t.lower().upper()):
            for form in ("NFC", "NFD"):
                groups.setdefault(unicodedata.normalize(form, case(unicodedata.normalize(form, c))), set()).add(c)
    shared = [g for g in groups.values() if len(g) > 1]
    assert len(shared) > 1300
    for group in shared:
        assert len({of[c] for c in group}) == 1, {f"U+{ord(c):04X}": of[c] for c in group}


def test_a_character_folds_as_the_letters_that_it_is_written_with_elsewhere() -> None:
    """U+00DF as ss, U+FB01 as fi, U+1FB3 as alpha and iota: wherever all of these are accepted."""
    of = keys()
    longer = {(c, t) for c in set(known()) & set(of) if c.casefold() != c or c.upper() != c
              for t in foldings(c) if all(part in of for part in t)}
    assert len([1 for c, t in longer if len(t) > 1]) > 100
    for c, text in longer:
        assert "".join(of[part] for part in text) == of[c], f"U+{ord(c):04X} as {text!r}"


def test_a_key_is_its_own_key() -> None:
    of = keys()
    for c, key in of.items():
        assert len(key.encode()) <= 2 * len(c.encode()), f"U+{ord(c):04X}"
        assert all(part in of and of[part] == part for part in key), f"U+{ord(c):04X} folds to {key!r}"


def test_what_does_not_fold_together_elsewhere_does_not_here() -> None:
    """Only the dotless i is joined to more than it is in Unicode's case folding."""
    of = keys()
    for c in set(known()) & set(of):
        if of[c] != c and c not in "\u0130\u0131":
            assert unicodedata.normalize("NFC", unicodedata.normalize("NFD", c).casefold()) == of[c], f"U+{ord(c):04X}"


@pytest.mark.parametrize(("one", "other"), [
    ("README", "readme"), ("stra\u00dfe", "STRASSE"), ("\u0130.txt", "i.txt"), ("\u0131.txt", "I.TXT"), ("\u017f", "S"), ("\ufb01x", "FIX"),
    ("\u03a3\u03c2\u03c3", "\u03c3\u03c3\u03a3"), ("\u1fb3", "\u03b1\u03b9"), ("\u00c5", "\u00e5"), ("\uff21", "\uff41"), ("\u2160", "\u2170"),
    ("\u24b6", "\u24d0"), ("\u10d0", "\u1c90"), ("\u13a0", "\uab70"), ("\U00010400", "\U00010428"), ("A/\u0416/c", "a/\u0436/C")])
def test_paths_that_are_one_somewhere_have_one_key(one: str, other: str) -> None:
    first, second = ask([one, other])
    assert first is not None and first == second


@pytest.mark.parametrize(("one", "other"), [
    ("a", "b"), ("a", "\u00e4"), ("\uff41", "a"), ("a/b", "ab"), ("a.b", "a/b"), ("i", "j"), ("\u0455", "s"), ("s", "ss"), ("\u00e6", "ae")])
def test_paths_that_are_two_everywhere_have_two_keys(one: str, other: str) -> None:
    first, second = ask([one, other])
    assert first is not None and second is not None and first != second

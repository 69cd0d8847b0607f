"""Databases of installer packages, written byte by byte as verify/msi_db.h says they lie there."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from conftest import ROOT  # noqa: F401  (makes the kit importable)

from tests.kit import cfb, msi

TEXT, TEXT_NULL, KEY, NUMBER, LONG, BINARY = 0x0DFF, 0x1DFF, 0x2D48, 0x1502, 0x1104, 0x1900
PROPERTY = [("Property", KEY), ("Value", TEXT_NULL)]


class Package:
    """Tables: name -> (columns, rows); a bytes value of a binary column goes into the stream of the row. `parts` are the tables' streams,
    `streams` the others by their unpacked names, `beside` those whose names are not packed."""

    def __init__(self, tables: dict[str, tuple[list[tuple[str, int]], list[list[Any]]]], page: int = 1252, wide: bool = False) -> None:
        self.page, self.wide, self.tables = page, wide, tables
        self.strings: list[bytes] = []
        self.uses: list[int] = []
        self.streams: dict[str, bytes] = {}
        self.parts: dict[str, bytes] = {}
        self.beside: dict[str, bytes] = {}
        self.clsid = msi.MSI_CLSID
        self.edit_pool = lambda pool: pool
        self.edit_data = lambda data: data

    def number(self, text: str | bytes | None) -> int:
        if text in (None, "", b""):
            return 0
        raw = text if isinstance(text, bytes) else text.encode({1252: "cp1252", 65001: "utf-8"}.get(self.page, "latin-1"))
        if raw not in self.strings:
            self.strings.append(raw)
            self.uses.append(0)
        i = self.strings.index(raw)
        self.uses[i] = min(self.uses[i] + 1, 0xFFFF)
        return i + 1

    def value(self, kind: int, value: Any) -> bytes:
        if kind & 0x0FFF == 0x0900:
            return struct.pack("<H", 0 if value is None else 1)
        if kind & 0x0800:
            return self.number(value).to_bytes(3 if self.wide else 2, "little")
        wide = kind & 0xFF == 4
        return (0 if value is None else value + (1 << 31 if wide else 1 << 15)).to_bytes(4 if wide else 2, "little")

    def rows(self, kinds: list[int], rows: list[list[Any]]) -> bytes:
        return b"".join(self.value(kind, row[i]) for i, kind in enumerate(kinds) for row in rows)

    def pool(self) -> bytes:
        out = struct.pack("<I", self.page | (1 << 31 if self.wide else 0))
        for s, n in zip(self.strings, self.uses):
            out += struct.pack("<HHI", 0, n, len(s)) if len(s) > 0xFFFF else struct.pack("<HH", len(s), n)
        return out

    def tree(self) -> cfb.Entry:
        for name, (columns, rows) in self.tables.items():
            self.parts.setdefault(name, self.rows([k for _, k in columns], rows))
            for row in rows:
                keys = [str(v) for (_, k), v in zip(columns, row) if k & 0x2000]
                self.streams.update({".".join([name, *keys]): v for (_, k), v in zip(columns, row) if k & 0x0FFF == 0x0900 and v is not None})
        self.parts.setdefault("_Tables", self.rows([TEXT], [[t] for t in self.tables]))
        listed = [[t, i + 1, c, k] for t, (columns, _) in self.tables.items() for i, (c, k) in enumerate(columns)]
        self.parts.setdefault("_Columns", self.rows([TEXT, NUMBER, TEXT, NUMBER], listed))
        self.parts["_StringPool"] = self.edit_pool(self.pool())
        self.parts["_StringData"] = self.edit_data(b"".join(self.strings))
        entries = [cfb.Entry(msi.encode_name(n, True), d) for n, d in self.parts.items()]
        entries += [cfb.Entry(msi.encode_name(n), d) for n, d in self.streams.items()]
        entries += [cfb.Entry(n, d) for n, d in self.beside.items()]
        return cfb.root(entries, clsid=self.clsid)

    def bytes(self) -> bytes:
        return cfb.Compound(self.tree()).pack()

    def write(self, folder: Path) -> Path:
        (folder / "p.msi").write_bytes(self.bytes())
        return folder / "p.msi"


def summary(*properties: tuple[int, int | str], page: int = 1252) -> bytes:
    """A summary information stream: (id, number or text)."""
    body, places = b"", b""
    rows = [(1, page), *properties]
    for id_, value in rows:
        places += struct.pack("<II", id_, 8 + 8 * len(rows) + len(body))
        if isinstance(value, int):
            body += struct.pack("<II", 2 if id_ == 1 else 3, value & 0xFFFF if id_ == 1 else value)
        else:
            raw = value.encode("cp1252" if page == 1252 else "utf-8") + b"\0"
            body += struct.pack("<II", 30, len(raw)) + raw + bytes(-len(raw) % 4)
    section = struct.pack("<II", 8 + len(places) + len(body), len(rows)) + places + body
    return struct.pack("<HHI16sI", 0xFFFE, 0, 0x00020006, bytes(16), 1) + bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9") + struct.pack("<I", 48) + section

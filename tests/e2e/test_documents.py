"""The readers of documents and their schemas say the same. Good documents of each kind are changed in every way that can be listed: each
attribute and element dropped, renamed, doubled, moved, emptied, given text, values, a stranger or another namespace. Where the schema
refuses, the reader does; where the schema accepts, the reader does too, but for what a pattern cannot say: STRICTER names all of that."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator
from xml.sax.saxutils import escape, quoteattr

import pytest

from conftest import CRASH, ROOT, WRAPPER, built, run_wrapped

AT_ONCE = 400                                                       # files in one call: a command line has its limits
FULL = os.environ.get("SUREFOOT_SCAN") == "full"
AT_MOST = 600 if WRAPPER else 4400                                   # changes of one document

# -- good documents --------------------------------------------------------------------------------------------------------

HASH = "0123456789abcdef" * 4
GUID = "{01234567-89AB-CDEF-0123-456789ABCDEF}"

FEED = f"""
<feed xmlns="urn:surefoot:feed:1" product="orchard" channel="stable" serial="42" issued="2026-11-25T00:00:00Z" expires="2026-12-25T00:00:00Z">
  <release version="2.1.0" status="auto" severity="important">
    <document path="2.1.0/release.xml" size="1234" sha256="{HASH}"/>
    <rollout start="2026-11-26T00:00:00+01:00" percent="10" step="PT24H"/>
    <eligible os="linux windows" arch="x86_64"/>
    <from lowest="1.4" below="2.1"/>
    <from below="1.0"/>
    <skip version="1.9.3"/>
    <skip version="1.8.*"/>
    <install-by time="2026-12-24T00:00:00Z"/>
  </release>
  <release version="2.0.0-rc.1+build" status="withdrawn"><document path="a" size="1" sha256="{HASH}"/></release>
  <support version="1.*" ends="2027-01-01T00:00:00Z" notice="P30D"/>
  <support version="0.9" ends="2027-01-01T00:00:00Z"/>
</feed>"""

ARCHIVE = f"""
<release xmlns="urn:surefoot:release:1" product="orchard" version="2.1.0" created="2026-11-25T00:00:00Z">
  <payload kind="archive" os="linux" arch="x86_64" path="orchard-2.1.0-linux.tar.zst" size="123456" sha256="{HASH}" unpacked-size="4096">
    <mirror>
      https://mirror.example.org/orchard-2.1.0-linux.tar.zst
    </mirror>
    <mirror>file:///srv/orchard.tar.zst</mirror>
    <demand system="minisign"/>
    <demand system="cms" publisher="Orchard Works" timestamp="true"/>
    <folder path="logs" mode="755"/>
    <file path="bin/orchard" size="4096" sha256="{HASH}" mode="755"/>
    <file path="share/empty" size="0" sha256="{HASH}" mode="644"/>
    <link path="lib/liborchard.so" to="liborchard.so.2"/>
  </payload>
</release>"""

MSI = f"""
<release xmlns="urn:surefoot:release:1" product="orchard" version="2.1.0" created="2026-11-25T00:00:00Z">
  <payload kind="msi" os="windows" arch="x86_64" path="orchard-2.1.0.msi" size="123456" sha256="{HASH}" unpacked-size="5" upgrade-code="{GUID}"
           product-code="{GUID}" product-version="2.1.0">
    <demand system="authenticode" publisher="Orchard Works" timestamp="true"/>
    <demand system="minisign"/>
  </payload>
</release>"""

# Without the elements whose values the command line checks (test_policy_doc.py).
POLICY = """
<policy xmlns="urn:surefoot:policy:1">
  <anchors>roots.pem</anchors>
  <anchors>more.pem</anchors>
  <publisher>Orchard Works</publisher>
  <key>maker.pub</key>
  <catalog>listed.cat</catalog>
  <eku>codeSigning</eku>
  <require-timestamp/>
  <allow>sha1</allow>
</policy>"""


def documents() -> dict[str, tuple[str, str]]:
    """Name -> kind and text."""
    out = {"feed": ("feed", FEED), "archive": ("release", ARCHIVE), "msi": ("release", MSI), "policy": ("policy", POLICY)}
    for path in sorted((ROOT / "docs" / "examples").glob("*.xml")):
        out[f"product_{path.stem}"] = ("product", path.read_text(encoding="utf-8"))
    return out


# -- a document as a tree of plain things, and its changes -----------------------------------------------------------------

@dataclass
class Node:
    name: str
    attrs: dict[str, str] = field(default_factory=dict)
    kids: list[Node] = field(default_factory=list)
    text: str = ""
    ns: str | None = None                                           # None: its parent's
    before: str = ""                                                # what stands before its first child

    def xml(self) -> str:
        attrs = "".join(f" {k}={quoteattr(v, {chr(10): '&#10;'})}" for k, v in self.attrs.items())
        ns = "" if self.ns is None else f' xmlns="{self.ns}"'
        return f"<{self.name}{ns}{attrs}>{self.before}{escape(self.text)}{''.join(kid.xml() for kid in self.kids)}</{self.name}>"

    def all(self) -> list[Node]:
        out, at = [self], 0
        while at < len(out):                                        # breadth first: the order is the same in every copy
            out += out[at].kids
            at += 1
        return out

    def copy(self) -> Node:
        return Node(self.name, dict(self.attrs), [kid.copy() for kid in self.kids], self.text, self.ns, self.before)


def tree(text: str) -> Node:
    def node(e: ET.Element, is_root: bool) -> Node:
        ns, _, name = e.tag[1:].partition("}")
        return Node(name, dict(e.attrib), [node(kid, False) for kid in e], (e.text or "").strip() and (e.text or ""), ns if is_root else None)
    return node(ET.fromstring(text.encode()), True)


NUMBER_PAST = {"18446744073709551616", "99999999TiB", "P99999D"}
TIME_NONE = {"2026-02-30T00:00:00Z", "2026-11-25T24:00:00Z", "2026-11-25T00:00:60Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00+99:00"}
VALUES = [
    "", " ", "x", "X", "x y", " x", "x ", "x\ny", "a  b", "-1", "0", "1", "00", "01", "100", "101", "1.5", "+1", "1e3", "0x1", "1KiB", "1kb", "1 KiB", "01KiB",
    "true", "TRUE", "true ", "yes", "false", "auto", "Auto", "auto ", "linux", "linux linux", "linux  windows", "linux,windows", "windows", "x86_64", "x86_64 x86",
    "\u00e4", "a\u0308", "\u202ex", "\u200bx", "a" * 64, "a" * 65, "a" * 1024, "a" * 1025, "a-", "-a", "a.b_c-d", "A.b",
    "a/b", "a/../b", "../x", "/abs", "a//b", "a/", "./a", "a\\b", "C:/x", "a:b", "NUL", "a.", "a*", "a|b", "a\"b", "a<b", "a?b", "x/" * 64 + "x", "b" * 256,
    "1.2.3", "v1", "1.*", "1.2.3.*", "1.2.3.4.*", "*", "1.2.3.4", "1.2.3.4.5", "1..2", "1.2-rc.1", "1.2-rc.01", "1.2-", "1.2+", "1.2+b.01", "4294967296.0", "1.2 ",
    "2026-11-25T00:00:00Z", "2026-11-25T00:00:00", "2026-11-25t00:00:00z", "2026-11-25T00:00:00.5Z", "2026-11-25", "2026-11-25 00:00:00Z",
    "P1D", "P1Y", "P1M", "P2W", "P1W1D", "PT0S", "PT59S", "PT60S", "PT1H1S", "PT1S1M", "P1DT", "PT", "P", "P01D", "PT1.5S", "-P1D", "p1d", "P1DT1H1M1S", "P1DT1D",
    HASH, HASH.upper(), HASH[:-1], HASH + "0", "g" * 64, "644", "4755", "0644", "888", "64", GUID, GUID.lower(), GUID[1:-1], GUID + " ",
    "https://example.org/x", "http://127.0.0.1/x", "HTTPS://example.org", "ftp://example.org/", "https://", "https:///x", "https://me@example.org/", "https://a/#b",
    "https://a/ b", "file:///x", "file://host/x", "https://?x", "https://[::1]/", "archive", "msi", "minisign", "cms", "authenticode", *sorted(NUMBER_PAST | TIME_NONE),
]

# -- what a pattern cannot say: the reader's words, and of which kinds of document ------------------------------------------------

STRICTER: dict[str, tuple[str, str]] = {
    "a prefix of no namespace": ("feed release policy product", r'Empty XML namespace is not allowed'),
    "times that do not exist": ("feed release", r'is not a time such as'),
    "numbers past 64 bits, durations past a hundred years": ("feed release product", r'"(18446744073709551616|99999999TiB|P99999D)" is not a (number|size|duration)'),
    "versions: parts past 32 bits, zeros before numbers of a pre-release, length": ("feed release product", r'>: version (pattern )?"'),
    "paths that some file system takes for others": ("feed release product", r' path>: path "|<link>: |<link to>: is empty'),
    "text: at most 1024 bytes, no hidden characters, no space at its ends": ("feed release product", r'(is \d+ bytes long|has control|begins or ends with a space)'),
    "arguments on one line": ("feed release product", r'has a control character in it'),
    "a word twice": ("feed", r'has "\w+" twice'),
    "least and most": ("feed product", r'is \d+, the (least|most) is \d+'),
    "life of a feed": ("feed", r'"expires" is (not after|more than 366 days after) "issued"'),
    "a range without versions": ("feed", r'no version is at least'),
    "the same release or support twice": ("feed", r'two releases of the same version|says twice when support'),
    "each system demanded once": ("release", r'demands \w+ twice'),
    "lists in order, nothing twice": ("release", r'lists the \w+ ".*" (twice|after)'),
    "paths side by side": ("release", r'<payload>: paths? '),
    "sums": ("release", r'"unpacked-size" is \d+, and its files have'),
    "payloads apart": ("release", r'two payloads'),
    "of a product file: the same thing named twice": ("product", r'is named twice, as|has the service \S+ twice|says twice what exit code'),
    "of a product file: who asks the scheduler has one": ("product", r"asks the product's own <scheduler>, and there is none"),
}


Edit = Callable[[Node, Node, Node], None]                           # of the document, the node in it, and the node's parent (the root's: itself)
Change = tuple[str, int, Edit]                                      # what is done, to which node, and how


def render(good: Node, i: int, edit: Edit) -> str:
    new = good.copy()
    node = new.all()[i]
    edit(new, node, next((p for p in new.all() if any(kid is node for kid in p.kids)), new))
    return new.xml()


def put(**fields: str) -> Edit:
    return lambda new, node, parent: node.__dict__.update(fields)


def put_attrs(attrs: dict[str, str], without: str = "") -> Edit:
    def edit(new: Node, node: Node, parent: Node) -> None:
        node.attrs = {**{k: v for k, v in node.attrs.items() if k != without}, **attrs}
    return edit


def of_values(good: Node) -> Iterator[Change]:
    """Each attribute and each text, once for each name, with every value."""
    seen = set()
    for i, node in enumerate(good.all()):
        for attr in node.attrs:
            if (node.name, attr) not in seen:
                seen.add((node.name, attr))
                yield from ((f"<{node.name} {attr}> = {value[:40]!r}", i, put_attrs({attr: value})) for value in VALUES)
        if node.text and (node.name, "") not in seen:
            seen.add((node.name, ""))
            yield from ((f"<{node.name}> holds {value[:40]!r}", i, put(text=value)) for value in VALUES)


def of_attributes(node: Node, i: int, ns: str) -> Iterator[Change]:
    for attr, value in node.attrs.items():
        for what, attrs, without in (("dropped", {}, attr), ("renamed", {attr + "x": value}, attr), ("upper", {attr.upper(): value}, attr),
                                     ("twin", {"other-" + attr: value}, ""), ("foreign", {"xmlns:z": "urn:z", f"z:{attr}": value}, attr),
                                     ("prefixed", {"xmlns:z": ns, f"z:{attr}": value}, attr)):
            yield f"<{node.name} {attr}> {what}", i, put_attrs(attrs, without)
    for more in ({"stranger": "1"}, {"xml:lang": "de"}, {"xml:space": "preserve"}, {"xml:id": "a"}, {"xml:base": "x"}, {"xmlns:z": "urn:z", "z:a": "1"},
                 {"xmlns:z": "urn:z"}, {"xmlns:z": ns, "z:a": "1"}, {"z:a": "1"}, {"xmlns:z": ""}):
        yield f"<{node.name}> with {' '.join(more)}", i, put_attrs(more)

    def turn(new: Node, node: Node, parent: Node) -> None:
        node.attrs = dict(reversed(node.attrs.items()))

    yield f"<{node.name}> attributes reversed", i, turn


def of_content(node: Node, i: int, ns: str) -> Iterator[Change]:
    for what, fields in {
        "text": {"text": node.text + "hello"}, "text before": {"before": "hello"}, "cdata": {"before": "<![CDATA[hello]]>"}, "comment": {"before": "<!-- hello -->"},
        "reference": {"before": "&#104;"}, "space": {"before": " \n\t"}, "entity": {"before": "&x;"}, "other namespace": {"ns": "urn:other"}, "no namespace": {"ns": ""},
        "same namespace said again": {"ns": ns}, "renamed": {"name": node.name + "x"}, "upper": {"name": node.name.upper()},
        "stranger": {"before": "<stranger/>"}, "foreign stranger": {"before": '<stranger xmlns="urn:z"/>'},
        "include": {"before": '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"/>'},
    }.items():
        yield f"<{node.name}> {what}", i, put(**fields)

    def prefix(new: Node, node: Node, parent: Node) -> None:
        node.name, node.attrs = "z:" + node.name, {**node.attrs, "xmlns:z": ns}

    yield f"<{node.name}> prefixed", i, prefix
    yield f"<{node.name}> children reversed", i, lambda new, node, parent: node.kids.reverse()
    yield f"<{node.name}> without children", i, lambda new, node, parent: node.kids.clear()


def of_place(good: Node, node: Node, i: int) -> Iterator[Change]:
    def replace(by: Callable[[Node], list[Node]]) -> Edit:
        def edit(new: Node, node: Node, parent: Node) -> None:
            parent.kids = [n for kid in parent.kids for n in (by(kid) if kid is node else [kid])]
        return edit

    def last(new: Node, node: Node, parent: Node) -> None:
        parent.kids = [kid for kid in parent.kids if kid is not node] + [node]

    yield f"<{node.name}> dropped", i, replace(lambda kid: [])
    yield f"<{node.name}> doubled", i, replace(lambda kid: [kid, kid.copy()])
    yield f"<{node.name}> replaced by what is in it", i, replace(lambda kid: kid.kids)
    yield f"<{node.name}> last", i, last
    names = sorted({n.name for n in good.all()})
    for name in names:
        def move(new: Node, node: Node, parent: Node, name: str = name) -> None:
            inside = {id(n) for n in node.all()}
            target = next((n for n in new.all() if n.name == name and id(n) not in inside), parent)
            parent.kids = [kid for kid in parent.kids if kid is not node]
            target.kids.append(node)

        yield f"<{node.name}> moved into <{name}>", i, move


def of_kin(good: Node, node: Node, i: int) -> Iterator[Change]:
    for name in sorted({n.name for n in good.all()}):
        other = next(n for n in good.all() if n.name == name)
        yield f"<{node.name}> with <{name}> inside", i, lambda new, node, parent, other=other: node.kids.insert(0, other.copy())  # type: ignore[misc]
        yield f"<{node.name}> called <{name}>", i, put(name=name)


def of_structure(good: Node) -> Iterator[Change]:
    """Each element of a shape once: its name, its parent's, its attributes, its children."""
    seen = set()
    parents = {id(kid): node for node in good.all() for kid in node.kids}
    for i, node in enumerate(good.all()):
        parent = parents.get(id(node))
        shape = (node.name, parent.name if parent else "", *node.attrs, *(kid.name for kid in node.kids))
        if shape in seen:
            continue
        seen.add(shape)
        yield from of_attributes(node, i, good.ns or "")
        yield from of_content(node, i, good.ns or "")
        yield from of_kin(good, node, i)
        if parent:
            yield from of_place(good, node, i)


def changes(good: Node) -> list[tuple[str, str]]:
    """What was done, and the document after it. Of a long document a share, but with SUREFOOT_SCAN=full."""
    every = [*of_structure(good), *of_values(good)]
    step = 1 if FULL else len(every) // AT_MOST + 1
    return [(what, render(good, i, edit)) for what, i, edit in every[::step]]


# -- the two judges ------------------------------------------------------------------------------------------------------------

def tool(name: str = "document_read") -> Path:
    return built(f"tools/{name}", "" if name == "document_read" else "so on Windows, and with sanitizers")


def read(kind: str, folder: Path, names: list[str]) -> list[str]:
    """The reader's word for each file: "ok" or its error."""
    out: list[str] = []
    for at in range(0, len(names), AT_ONCE):
        some = names[at:at + AT_ONCE]
        done = run_wrapped(tool(), kind, *some, cwd=folder, timeout=300)
        errors = done.stderr.decode("utf-8", "replace")
        assert done.returncode in (0, 1) and not [word for word in CRASH if word in errors], f"exit {done.returncode}\n{errors}"
        lines = done.stdout.decode("utf-8").splitlines()
        assert len(lines) == len(some), lines[:3]
        out += lines
    return out


def fits(kind: str, folder: Path, names: list[str]) -> list[bool]:
    """What the schema says of each file; a file that is not well formed does not fit."""
    if not shutil.which("xmllint"):
        pytest.skip("xmllint is not installed")
    good: set[str] = set()
    for at in range(0, len(names), AT_ONCE):
        done = subprocess.run(["xmllint", "--nonet", "--noout", "--relaxng", str(ROOT / "manifest" / f"{kind}.rng"), *names[at:at + AT_ONCE]],
                              cwd=folder, capture_output=True, timeout=600, check=False)
        told = done.stderr.decode("utf-8", "replace")
        assert done.returncode in (0, 1, 3, 4), told[:2000]
        assert "failed to compile" not in told, told[:2000]
        good |= set(re.findall(r"^(\S+) validates$", told, re.M))
    return [name in good for name in names]


def is_stricter(kind: str, error: str) -> bool:
    return any(kind in kinds.split() and re.search(words, error) for kinds, words in STRICTER.values())


def write_all(folder: Path, texts: list[str]) -> list[str]:
    names = [f"{n:05}.xml" for n in range(len(texts))]
    for name, text in zip(names, texts):
        (folder / name).write_bytes(text.encode())
    return names


# -- tests -----------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", documents())
def test_reader_and_schema_say_the_same(name: str, tmp_path: Path) -> None:
    kind, text = documents()[name]
    (tmp_path / "good.xml").write_text(text.strip(), encoding="utf-8")
    word = read(kind, tmp_path, ["good.xml"])
    if "no kind of document" in word[0]:
        pytest.skip(f"document_read does not know of a {kind} yet")
    assert word == ["ok"]
    assert fits(kind, tmp_path, ["good.xml"]) == [True]
    done = changes(tree(text))
    names = write_all(tmp_path, [text for _, text in done])
    wrong, n_refused = [], 0
    for (what, _), error, is_fit in zip(done, read(kind, tmp_path, names), fits(kind, tmp_path, names)):
        n_refused += error != "ok"
        if error == "ok" and not is_fit:
            wrong.append(f"{what}: read, and the schema refuses it")
        elif error != "ok" and is_fit and not is_stricter(kind, error):
            wrong.append(f"{what}: fits the schema, and the reader says: {error}")
        elif error != "ok" and not re.match(r"line \d+: \S", error):
            wrong.append(f"{what}: no line in: {error}")
    assert len(done) > 300 and n_refused > len(done) / 8
    assert not wrong, f"{len(wrong)} of {len(done)}\n" + "\n".join(wrong[:60])


RAW = {                                                             # what is not of the schema at all: the reader alone refuses it
    "doctype": (lambda s: "<!DOCTYPE feed>" + s, "line 1: a DOCTYPE"),
    "external entity": (lambda s: '<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + s.replace("orchard", "&x;"), "line 1: a DOCTYPE"),
    "many laughs": (lambda s: "<!DOCTYPE feed [" + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12)) + "]>"
                    + s.replace("orchard", "&l11;"), "line 1: a DOCTYPE"),
    "instruction": (lambda s: "<?go there?>" + s, "line 1: a processing instruction"),
    "instruction at the end": (lambda s: s + "<?go there?>", "a processing instruction"),
    "latin-1": (lambda s: '<?xml version="1.0" encoding="ISO-8859-1"?>' + s, "line 1: says that it is of another encoding"),
    "utf-16": (lambda s: s.encode("utf-16"), "line 1: is UTF-16"),
    "utf-16 without a mark": (lambda s: s.encode("utf-16-be"), "line 1: is UTF-16"),
    "a zero at the end": (lambda s: s + "\0", "a byte that is 0"),
    "not utf-8": (lambda s: s.encode() + b"<!--\xe9-->", "bytes that are not UTF-8"),
    "33 namespaces": (lambda s: s.replace("<feed", "<feed " + " ".join(f'xmlns:n{n}="urn:n"' for n in range(33)), 1), "more than 32 attributes"),
    "over a mebibyte": (lambda s: s + "<!--" + " " * (1 << 20) + "-->", "bytes of XML, the limit is 1048576"),
}


@pytest.mark.parametrize("name", RAW)
def test_what_no_document_may_be(name: str, tmp_path: Path) -> None:
    change, says = RAW[name]
    data = change(FEED.strip())
    (tmp_path / "raw.xml").write_bytes(data if isinstance(data, bytes) else data.encode())
    error = read("feed", tmp_path, ["raw.xml"])[0]
    assert says in error, error


@pytest.mark.parametrize("kind, text", [("feed", FEED), ("release", ARCHIVE), ("release", MSI)], ids=["feed", "archive", "msi"])
def test_no_allocation_that_fails_changes_a_document(kind: str, text: str, tmp_path: Path) -> None:
    """Each allocation fails in turn, alone and with all after it: the document is then read as it is, or memory ran out; nothing leaks."""
    (tmp_path / "good.xml").write_text(text.strip(), encoding="utf-8")
    done = subprocess.run([str(tool("alloc_fail_document")), kind, str(tmp_path / "good.xml")], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[:3000]}\n{done.stderr[:2000]}"
    assert int(done.stdout.split()[0]) > 50

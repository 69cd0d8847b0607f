"""MSI and compound files: what is accepted, and each way to be refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Callable

from . import cfb, cms, der, msi
from . import pki as pk
from .case import Case, Codes, built

CASES: list[Case] = []
ALLOW_EX, ALLOW_REST = ("--allow", "UnsignedMetadata"), ("--allow", "UncoveredData")


def add(name: str, rule: str, make: Callable[[], bytes], verdict: str | tuple[str, ...] = "refused", reason: Codes = None, *more: str,
        profile: str = "strict", expect: Any = None, absent: tuple[str, ...] = (), file: str = "kit.msi", **trusting: Any) -> None:
    CASES.append(Case("msi_" + name, "msi." + rule, lambda folder: built(folder, file, make(), *more, **trusting), verdict, reason,
                      profile=profile, expect={"type": "msi", **(expect or {})} if verdict == "accepted" else expect or {}, absent=absent))


def good(name: str, make: Callable[[], bytes], *more: str, rule: str = "good", reason: Codes = None, **how: Any) -> None:
    add("good_" + name, rule, make, "accepted", reason, *more, **how)


def bad(name: str, rule: str, reason: Codes, make: Callable[[], bytes], *more: str, **how: Any) -> None:
    add(name, rule, make, "refused", reason, *more, **how)


def edited(edit: Callable[[cfb.Image], None], **how: Any) -> Callable[[], bytes]:
    return lambda: msi.signed(edit=edit, **how)


def after(change: Callable[[cfb.Entry], None], root: Callable[[], cfb.Entry] = msi.tree, version: int = 3, **how: Any) -> Callable[[], bytes]:
    """Signs a tree, changes it, then writes it: a well-formed file that is not what was signed."""
    def make() -> bytes:
        signed = msi.signed_tree(root(), **how)
        change(signed)
        return cfb.Compound(signed, version).pack()
    return make


def flipped(data: bytes, at: int, mask: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1:]


def flip_stream(name: str, index: int, version: int = 3, **how: Any) -> Callable[[], bytes]:
    """One bit of one byte of a stream."""
    def change(root: cfb.Entry) -> None:
        data = root.find(name).data
        root.find(name).data = flipped(data, index % len(data))
    return after(change, version=version, **how)


CAB, PROPERTY, POOL, FILE_TABLE = msi.encode_name("kit.cab"), msi.encode_name("Property", True), msi.encode_name("_StringPool", True), msi.encode_name("File", True)
COLUMNS = msi.encode_name("_Columns", True)
SUMMARY = "\5SummaryInformation"

# -- accepted --------------------------------------------------------------------------------------------------------------

good("v3", lambda: msi.signed(), expect={"signatures.0.kind": "authenticode", "signatures.0.digest": "sha256"})
good("v4", lambda: msi.signed(version=4))
good("v3_windows", lambda: msi.signed(), profile="windows")
good("name_says_exe", lambda: msi.signed(), file="kit.exe")
good("stamped", lambda: msi.signed(unsigned=[cms.stamp(cms.IN_2026)]), "--require-timestamp")
good("sha384", lambda: msi.signed(hash="sha384"))
good("sha1_windows", lambda: msi.signed(hash="sha1"), profile="windows", reason="WeakDigest")
good("red_black_tree", lambda: msi.signed(layout={"colours": "redblack"}), rule="dir-tree")
good("sectors_reversed", lambda: msi.signed(layout={"order": "reversed"}), rule="sector-once")
good("sectors_interleaved_v4", lambda: msi.signed(version=4, layout={"order": "interleaved"}), rule="sector-once")
good("patch_with_storages", lambda: msi.signed(msi.patch_tree()))
good("patch_with_storages_v4", lambda: msi.signed(msi.patch_tree(), version=4))
good("storages_ten_deep", lambda: msi.signed(msi.deep_tree(10)))
good("siblings_in_one_line", lambda: msi.signed(_many(200), layout={"balanced": False}), rule="dir-tree")
good("no_big_stream", lambda: msi.signed(msi.tree(100)))
good("big_stream_of_4096", lambda: msi.signed(msi.tree(4096)), rule="size")
good("mini_stream_of_4095", lambda: msi.signed(msi.tree(4095)), rule="size")
good("difat", lambda: msi.signed(msi.tree(8_000_000)), rule="size")
good("zero_free_sectors", lambda: msi.signed(layout={"free": 3}), rule="slack")
good("signature_in_big_stream", lambda: msi.signed(more_certs=[pk.intermediate(label="x%d" % i, cn="Kit Spare %d" % i).der for i in range(6)]), rule="size")
good("nested_signature", lambda: _nested())
good("without_ex_allowed", lambda: msi.signed(ex=False), *ALLOW_EX, rule="no-ex", reason="UnsignedMetadata")
good("without_ex_windows", lambda: msi.signed(ex=False), rule="no-ex", reason="UnsignedMetadata", profile="windows")


def _many(n: int) -> cfb.Entry:
    root = msi.tree()
    root.children += [cfb.Entry("s%03d" % i, b"%d" % i) for i in range(n)]
    return root


def _nested() -> bytes:
    """A SHA-384 signature within the SHA-256 one; the Ex stream is the outer one's."""
    root = msi.tree()
    ex = msi.ex_of(root)
    inner = msi.maker(hash="sha384")(msi.digest(root, ex, "sha384"))
    return msi.signed(root, unsigned=[cms.nested(inner)])


# -- content ---------------------------------------------------------------------------------------------------------------

add("unsigned", "content", lambda: cfb.Compound(msi.tree()).pack(), "unsigned", "Unsigned")
add("unsigned_v4", "content", lambda: cfb.Compound(msi.tree(), 4).pack(), "unsigned", "Unsigned")
add("signature_stream_empty", "content", after(lambda r: setattr(r.find(msi.SIGNATURE), "data", b"")), ("refused", "unsigned"), ("Malformed", "Unsigned"))
for _v in (3, 4):
    bad(f"big_stream_first_byte_v{_v}", "content", "DigestMismatch", flip_stream(CAB, 0, version=_v))
    bad(f"big_stream_last_byte_v{_v}", "content", "DigestMismatch", flip_stream(CAB, -1, version=_v))
    bad(f"mini_stream_byte_v{_v}", "content", "DigestMismatch", flip_stream(PROPERTY, 3, version=_v))
bad("summary_byte", "content", "DigestMismatch", flip_stream(SUMMARY, -1))
bad("root_clsid", "content", "DigestMismatch", after(lambda r: setattr(r, "clsid", msi.MSP_CLSID)))
bad("stream_added", "content", "DigestMismatch", after(lambda r: r.children.append(cfb.Entry("more", b"more"))))
bad("stream_removed", "content", "DigestMismatch", after(lambda r: r.remove(COLUMNS)))
bad("nested_stream_byte", "content", "DigestMismatch", after(lambda r: setattr(r.find("KitA").children[0], "data", msi.fill(300, 99)), msi.patch_tree))
bad("windows_content_byte", "content", "DigestMismatch", flip_stream(CAB, 77), profile="windows")
bad("without_ex_content_byte_windows", "content", "DigestMismatch", after(lambda r: setattr(r.find(PROPERTY), "data", b"x" * 64), ex=False), profile="windows")
bad("signature_bit", "content", "SignatureInvalid", after(lambda r: setattr(r.find(msi.SIGNATURE), "data", flipped(r.find(msi.SIGNATURE).data, -1))))
bad("untrusted", "content", "ChainUntrusted", lambda: msi.signed(signer=pk.pki().stranger))
bad("sha1_strict", "content", "WeakDigest", lambda: msi.signed(hash="sha1"))
bad("expired", "content", "ChainExpired", lambda: msi.signed(signer=pk.pki().expired))

# -- length ----------------------------------------------------------------------------------------------------------------

for _name, _tail in (("byte", b"\0"), ("sector_of_zeroes", bytes(512)), ("archive", b"PK\3\4" + bytes(40) + b"PK\5\6" + bytes(18))):
    bad("appended_" + _name, "length", "TrailingData", lambda t=_tail: msi.signed() + t)
    bad("appended_" + _name + "_v4", "length", "TrailingData", lambda t=_tail: msi.signed(version=4) + t)
bad("appended_archive_windows", "length", "TrailingData", lambda: msi.signed() + b"PK\3\4" + bytes(40) + b"PK\5\6" + bytes(18), profile="windows")
bad("appended_without_ex", "length", "TrailingData", lambda: msi.signed(ex=False) + b"junk", *ALLOW_EX)
bad("appended_free_sector", "length", ("TrailingData", "UncoveredData"), edited(lambda i: i.add_sector()))
bad("appended_free_sector_filled", "length", ("TrailingData", "UncoveredData"), edited(lambda i: i.add_sector(b"payload")))
bad("last_sector_cut_off", "length", "Malformed", lambda: msi.signed()[:-512])
bad("last_sector_cut_short", "length", "Malformed", lambda: msi.signed()[:-100])
bad("header_only", "length", "Malformed", lambda: msi.signed()[:512])
add("header_cut_short", "length", lambda: msi.signed()[:300], ("refused", "unsupported"))

# -- chains ----------------------------------------------------------------------------------------------------------------


def two_big() -> cfb.Entry:
    root = msi.tree()
    root.children.append(cfb.Entry("second", msi.fill(9000, 6)))                 # the same bytes as the cabinet
    return root


def _share_big(i: cfb.Image) -> None:
    first, second = i.chain[CAB], i.chain["second"]
    i.fat[second[-2]] = first[-1]


def _share_start(i: cfb.Image) -> None:
    i.by_name["second"].start = i.by_name[CAB].start


def _fat(i: cfb.Image, name: str, index: int, link: int) -> None:
    i.fat[i.chain[name][index]] = link


def _orphan(i: cfb.Image) -> None:
    """An allocated chain that no entry names, in the midst of the file."""
    at = i.chain["dir"][0]
    new = i.add_sector(i.sectors[at], cfb.END)
    for chain in i.chain.values():
        if chain[0] == at:
            chain[0] = new
    i.fat[new] = i.fat[at]
    i.fat[at], i.dir_start = cfb.END, new
    i.sectors[at] = bytes(i.sector)


bad("two_streams_share_a_sector", "sector-once", "Malformed", lambda: msi.signed(two_big(), edit=_share_big))
bad("two_streams_share_a_chain", "sector-once", "Malformed", lambda: msi.signed(two_big(), edit=_share_start))
bad("two_mini_streams_share", "sector-once", "Malformed", lambda: msi.signed(_twins(), edit=lambda i: setattr(i.by_name["twin2"], "start", i.by_name["twin1"].start)))
bad("stream_runs_into_directory", "sector-once", "Malformed", edited(lambda i: setattr(i.by_name[CAB], "start", i.dir_start)))
bad("stream_is_the_mini_stream", "sector-once", "Malformed", edited(lambda i: setattr(i.by_name[CAB], "start", i.chain["mini"][0])))
bad("stream_is_the_fat", "sector-once", "Malformed", edited(lambda i: setattr(i.by_name[CAB], "start", i.chain["fat"][0])))
bad("fat_sector_marked_free", "sector-once", "Malformed", edited(lambda i: _fat(i, "fat", 0, cfb.FREE)))
bad("fat_sector_marked_end", "sector-once", "Malformed", edited(lambda i: _fat(i, "fat", 0, cfb.END)))
bad("fat_sector_named_twice", "sector-once", "Malformed", edited(lambda i: (i.difat.append(i.difat[0]), setattr(i, "n_fat", 2))))
bad("fat_sector_outside", "sector-once", "Malformed", edited(lambda i: i.difat.__setitem__(0, 0x00FFFFFF)))
bad("chain_that_nobody_names", "sector-once", ("Malformed", "UncoveredData"), edited(_orphan))
bad("link_outside_the_file", "sector-once", "Malformed", edited(lambda i: _fat(i, CAB, 2, 0x00FFFFF0)))
bad("link_to_a_free_sector", "sector-once", "Malformed", edited(lambda i: _fat(i, CAB, 2, cfb.FREE)))
bad("fat_entry_past_the_end", "sector-once", "Malformed", edited(lambda i: (i.fat.extend([cfb.FREE] * (127 - len(i.fat))), i.fat.append(cfb.END))))
bad("difat_hole", "sector-once", "Malformed", edited(lambda i: (i.difat.insert(0, cfb.FREE))))
bad("difat_unused_slot_filled", "sector-once", "Malformed", edited(lambda i: i.difat.append(5)))


def _twins() -> cfb.Entry:
    root = msi.tree()
    root.children += [cfb.Entry("twin1", b"t" * 60), cfb.Entry("twin2", b"t" * 60)]
    return root


bad("fat_cycle", "cycle", "Malformed", edited(lambda i: _fat(i, CAB, -1, i.chain[CAB][0])))
bad("fat_self_cycle", "cycle", "Malformed", edited(lambda i: _fat(i, CAB, 3, i.chain[CAB][3])))
bad("mini_fat_cycle", "cycle", "Malformed", edited(lambda i: i.minifat.__setitem__(i.mini_chain[POOL][-1], i.mini_chain[POOL][0])))
bad("mini_fat_chain_cycle", "cycle", "Malformed", edited(lambda i: _fat(i, "minifat", -1, i.chain["minifat"][0])))
bad("mini_stream_cycle", "cycle", "Malformed", edited(lambda i: _fat(i, "mini", -1, i.chain["mini"][0])))
bad("directory_chain_cycle", "cycle", "Malformed", edited(lambda i: _fat(i, "dir", -1, i.chain["dir"][0])))
bad("difat_cycle", "cycle", "Malformed", lambda: msi.signed(msi.tree(8_000_000), edit=lambda i: setattr(i, "difat_end", i.difat_start)))
bad("tree_cycle_to_itself", "cycle", "Malformed", edited(lambda i: setattr(i.by_name[PROPERTY], "left", i.dirents.index(i.by_name[PROPERTY]))))
bad("tree_cycle_to_root", "cycle", "Malformed", edited(lambda i: setattr(_leaf_entry(i), "right", 0)))
bad("tree_cycle_to_parent", "cycle", "Malformed", lambda: msi.signed(msi.patch_tree(), edit=lambda i: setattr(
    i.by_name["KitA"], "child", i.dirents[0].child)))
bad("tree_shares_a_subtree", "cycle", "Malformed", lambda: msi.signed(msi.patch_tree(), edit=lambda i: setattr(
    i.by_name["KitA"], "child", i.by_name["#KitA"].child)))


def _leaf_entry(i: cfb.Image) -> cfb.Dirent:
    return next(d for d in i.dirents if d.kind == cfb.STREAM and d.left == d.right == cfb.NONE)


# -- slack and free sectors ------------------------------------------------------------------------------------------------


def _mini_tail(i: cfb.Image) -> None:
    """Bytes between the end of the mini stream and the end of its last sector."""
    at = i.chain["mini"][-1]
    assert i.dirents[0].size % i.sector
    i.sectors[at] = i.sectors[at][:-8] + b"leftover"


def _v4_header(i: cfb.Image) -> None:
    i.header_pad = b"\0" * 100 + b"hidden"


SLACK = {
    "free_sector_filled": lambda **h: msi.signed(layout={"free": 2, "free_fill": 0x41}, **h),
    "big_stream_slack": lambda **h: msi.signed(layout={"slack": 0x42}, **h),
    "mini_stream_slack": lambda **h: msi.signed(layout={"mini_slack": 0x43}, **h),
    "mini_container_slack": lambda **h: msi.signed(msi.tree(4096), edit=_mini_tail, **h),
    "v4_header_rest": lambda **h: msi.signed(version=4, edit=_v4_header, **h),
}
for _name, _make in SLACK.items():
    bad(_name, "slack", "UncoveredData", _make)
    good(_name + "_allowed", _make, *ALLOW_REST, rule="slack", reason="UncoveredData")
    good(_name + "_windows", _make, rule="slack", reason="UncoveredData", profile="windows")
bad("free_mini_sector_named_end", "slack", ("Malformed", "UncoveredData"), edited(lambda i: i.minifat.append(cfb.END)))

# -- header ----------------------------------------------------------------------------------------------------------------


def _set(**fields: Any) -> Callable[[cfb.Image], None]:
    return lambda i: i.__dict__.update(fields)


for _name, _fields in {"header_clsid": {"header_clsid": b"\1" + bytes(15)}, "header_reserved": {"reserved": b"\1" + bytes(5)},
                       "byte_order": {"byte_order": 0xFEFF}, "mini_shift": {"mini_shift": 7},
                       "cutoff_8192": {"cutoff": 8192}, "cutoff_zero": {"cutoff": 0}, "major_version_5": {"major": 5},
                       "v3_with_v4_shift": {"sector_shift": 12}, "sector_shift_60": {"sector_shift": 60},
                       "directory_count_in_v3": {"n_dir": 3}, "fat_count_too_large": {"n_fat": 0x7FFFFFFF},
                       "fat_count_zero": {"n_fat": 0}, "mini_fat_count_wrong": {"n_minifat": 9}, "difat_count_wrong": {"n_difat": 1},
                       "directory_start_outside": {"dir_start": 0x00FFFFFF}, "directory_start_end": {"dir_start": cfb.END}}.items():
    bad("header_" + _name.removeprefix("header_"), "size" if "cutoff" in _name else "header", "Malformed", edited(_set(**_fields)))
bad("header_transaction", "header", ("Malformed", "UncoveredData"), edited(_set(transaction=7)))
bad("header_minor_version", "header", ("Malformed", "UncoveredData"), edited(_set(minor=0x7777)))
bad("header_directory_count_in_v4", "header", "Malformed", lambda: msi.signed(version=4, edit=_set(n_dir=77)))

# -- directory: types ------------------------------------------------------------------------------------------------------


def _entry(which: str, /, **fields: Any) -> Callable[[cfb.Image], None]:
    return lambda i: i.by_name[which].__dict__.update(fields)


def _empty(**fields: Any) -> Callable[[cfb.Image], None]:
    """Changes an unused entry."""
    def edit(i: cfb.Image) -> None:
        spare = [d for d in i.dirents if d.kind == cfb.EMPTY]
        assert spare
        spare[-1].__dict__.update(fields)
    return edit


def eleven() -> cfb.Entry:
    """A tree whose directory has an unused entry left."""
    root = msi.tree()
    root.children += [cfb.Entry("spare", b"spare")] * ((4 - (len(root.children) + 3) % 4) % 4 == 0)
    return root


for _kind in (3, 4, 6, 255):
    bad(f"entry_type_{_kind}", "dir-type", "Malformed", edited(_entry(PROPERTY, kind=_kind)))
bad("second_root", "dir-type", "Malformed", lambda: msi.signed(msi.patch_tree(), edit=_entry("KitA", kind=cfb.ROOT)))
bad("root_is_a_storage", "dir-type", "Malformed", edited(_entry("Root Entry", kind=cfb.STORAGE)))
bad("reached_entry_is_empty", "dir-type", "Malformed", edited(_entry(FILE_TABLE, kind=cfb.EMPTY)))
bad("empty_entry_with_name", "dir-type", ("Malformed", "UncoveredData"), lambda: msi.signed(eleven(), edit=_empty(name="x".encode("utf-16-le"))))
bad("empty_entry_with_size", "dir-type", ("Malformed", "UncoveredData"), lambda: msi.signed(eleven(), edit=_empty(size=5)))
bad("empty_entry_with_clsid", "dir-type", ("Malformed", "UncoveredData"), lambda: msi.signed(eleven(), edit=_empty(clsid=b"hidden data here")))
bad("entry_that_nobody_reaches", "dir-type", ("Malformed", "UncoveredData"), lambda: msi.signed(eleven(), edit=_empty(
    kind=cfb.STREAM, name="ghost".encode("utf-16-le"), name_len=12, colour=cfb.BLACK, start=cfb.END)))
bad("signature_is_a_storage", "dir-type", ("Malformed", "Unsigned"), lambda: cfb.Compound(_storage_signature()).pack(), file="kit.msi")


def _storage_signature() -> cfb.Entry:
    root = msi.tree()
    root.children.append(cfb.storage(msi.SIGNATURE, [cfb.Entry("x", msi.signed_tree().find(msi.SIGNATURE).data)]))
    return root


# -- directory: names ------------------------------------------------------------------------------------------------------

_WIDE = "Property".encode("utf-16-le")
for _name, _fields in {"odd_length": {"name_len": 19}, "length_zero": {"name_len": 0}, "length_two": {"name_len": 2}, "length_66": {"name_len": 66},
                       "length_too_short": {"name_len": 8}}.items():
    bad("name_" + _name, "dir-name", "Malformed", edited(_entry(SUMMARY, **_fields)))
bad("name_with_nul", "dir-name", ("Malformed", "DigestMismatch"), edited(_entry(SUMMARY, name="\5Summ\0ryInformation".encode("utf-16-le"))))
bad("name_tail_not_zero", "dir-name", ("Malformed", "UncoveredData"), edited(lambda i: setattr(
    i.by_name[SUMMARY], "name", i.by_name[SUMMARY].name + b"\0\0" + "hid".encode("utf-16-le"))))
bad("name_not_terminated", "dir-name", "Malformed", edited(lambda i: setattr(i.by_name[SUMMARY], "name", i.by_name[SUMMARY].name + b"x\0")))
bad("name_twice", "dir-name", "Malformed", lambda: msi.signed(_twins(), edit=_entry("twin2", name="twin1".encode("utf-16-le"))))
bad("name_twice_by_case", "dir-name", "Malformed", lambda: msi.signed(_case_twins()))
bad("signature_twice", "dir-name", "Malformed", lambda: _double(msi.SIGNATURE))
bad("ex_twice", "dir-name", "Malformed", lambda: _double(msi.EX))


def _case_twins() -> cfb.Entry:
    root = msi.tree()
    root.children += [cfb.Entry("twin", b"1"), cfb.Entry("TWIN", b"2")]
    return root


def _double(name: str) -> bytes:
    root = msi.signed_tree()
    root.children.append(cfb.Entry(name, root.find(name).data))
    return cfb.Compound(root).pack()


# -- directory: tree -------------------------------------------------------------------------------------------------------


def _swap(i: cfb.Image) -> None:
    top = i.dirents[i.dirents[0].child]
    top.left, top.right = top.right, top.left


def _recolour(i: cfb.Image) -> None:
    """Red under red."""
    top = i.dirents[i.dirents[0].child]
    below = i.dirents[top.left]
    below.colour = i.dirents[below.left].colour = cfb.RED


bad("tree_not_sorted", "dir-tree", "Malformed", edited(_swap))
bad("tree_red_under_red", "dir-tree", "Malformed", edited(_recolour))
bad("tree_one_red_leaf_among_black", "dir-tree", ("Malformed", "UncoveredData"), edited(lambda i: setattr(i.dirents[i.dirents[0].child], "colour", cfb.RED)))
bad("tree_colour_two", "dir-tree", "Malformed", edited(_entry(PROPERTY, colour=2)))
bad("child_of_a_stream", "dir-tree", "Malformed", edited(lambda i: _move_child(i)))
bad("sibling_of_the_root", "dir-tree", "Malformed", edited(lambda i: setattr(i.dirents[0], "right", i.dirents[0].child)))
bad("child_outside_the_directory", "dir-tree", "Malformed", edited(lambda i: setattr(i.dirents[0], "child", 0x00FFFFFF)))


def _move_child(i: cfb.Image) -> None:
    leaf = _leaf_entry(i)
    holder = next(d for d in i.dirents if i.dirents.index(leaf) in (d.left, d.right))
    side = "left" if holder.left == i.dirents.index(leaf) else "right"
    holder.__dict__[side], holder.child = cfb.NONE, i.dirents.index(leaf)


# -- directory: fields no hash covers --------------------------------------------------------------------------------------

_LOOSE: Codes = ("UncoveredData", "UnsignedMetadata", "Malformed")
bad("root_modified_time", "dir-unhashed", _LOOSE, lambda: msi.signed(msi.tree(modified=0x01DC000000000001)))
bad("root_created_time", "dir-unhashed", _LOOSE, lambda: msi.signed(msi.tree(created=0x01DC000000000001)))
bad("root_name", "dir-unhashed", _LOOSE, edited(_entry("Root Entry", name="Boot Entry".encode("utf-16-le"))))
bad("stream_clsid", "dir-unhashed", _LOOSE, edited(_entry(PROPERTY, clsid=b"\1" + bytes(15))))
bad("storage_start", "dir-unhashed", _LOOSE, lambda: msi.signed(msi.patch_tree(), edit=_entry("KitA", start=9)))
bad("storage_size", "dir-unhashed", _LOOSE, lambda: msi.signed(msi.patch_tree(), edit=_entry("KitA", size=9)))
bad("signature_stream_time", "dir-unhashed", _LOOSE, edited(_entry(msi.SIGNATURE, modified=5)))
bad("signature_stream_state", "dir-unhashed", _LOOSE, edited(_entry(msi.SIGNATURE, state=5)))
bad("ex_stream_time", "dir-unhashed", _LOOSE, edited(_entry(msi.EX, created=5)))
bad("empty_stream_with_start", "dir-unhashed", ("Malformed", "UncoveredData"), edited(_entry(FILE_TABLE, start=3)))

# -- sizes -----------------------------------------------------------------------------------------------------------------

bad("size_above_2_31_in_v3", "size", "Malformed", edited(_entry(CAB, size=0x80000000)))
bad("size_high_word_in_v3", "size", "Malformed", edited(lambda i: setattr(i.by_name[CAB], "size", i.by_name[CAB].size | 1 << 32)))
bad("size_above_2_63_in_v4", "size", "Malformed", lambda: msi.signed(version=4, edit=_entry(CAB, size=1 << 63)))
bad("chain_shorter_than_size", "size", "Malformed", edited(_entry(CAB, size=20000)))
bad("chain_longer_than_size", "size", ("Malformed", "UncoveredData"), edited(lambda i: _lengthen(i)))
bad("mini_chain_shorter_than_size", "size", "Malformed", edited(lambda i: i.minifat.__setitem__(i.mini_chain[POOL][0], cfb.END)))
bad("mini_chain_past_mini_stream", "size", "Malformed", edited(_entry(PROPERTY, start=5000)))
bad("mini_stream_shorter_than_used", "size", "Malformed", edited(_entry("Root Entry", size=64)))
bad("mini_stream_missing", "size", "Malformed", edited(_entry("Root Entry", start=cfb.END, size=0)))


def _lengthen(i: cfb.Image) -> None:
    new = i.add_sector(bytes(i.sector), cfb.END)
    i.fat[i.chain[CAB][-1]] = new


# -- what is left out of the hash ------------------------------------------------------------------------------------------

bad("signature_name_in_a_storage", "left-out", "DigestMismatch", after(
    lambda r: r.find("KitA").children.append(cfb.Entry(msi.SIGNATURE, b"payload")), msi.patch_tree))
bad("ex_name_in_a_storage", "left-out", "DigestMismatch", after(lambda r: r.find("KitA").children.append(cfb.Entry(msi.EX, b"payload")), msi.patch_tree))
bad("signature_name_with_suffix", "left-out", "DigestMismatch", after(lambda r: r.children.append(cfb.Entry(msi.SIGNATURE + "2", b"payload"))))
bad("ex_name_cut_short", "left-out", "DigestMismatch", after(lambda r: r.children.append(cfb.Entry(msi.EX[:-1], b"payload"))))
bad("signature_name_in_capitals", "left-out", ("Malformed", "DigestMismatch"), after(lambda r: r.children.append(cfb.Entry(msi.SIGNATURE.upper(), b"payload"))))
bad("ex_name_in_capitals_only", "left-out", ("DigestMismatch", "Malformed"), after(lambda r: setattr(r.find(msi.EX), "name", msi.EX.upper())), *ALLOW_EX)
good("signature_name_in_a_storage_signed", lambda: msi.signed(_inner_names()), rule="left-out")


def _inner_names() -> cfb.Entry:
    root = msi.patch_tree()
    root.find("KitA").children += [cfb.Entry(msi.SIGNATURE, b"only data"), cfb.Entry(msi.EX, b"only data too")]
    return root


# -- Ex --------------------------------------------------------------------------------------------------------------------

bad("without_ex", "no-ex", "UnsignedMetadata", lambda: msi.signed(ex=False))
bad("without_ex_v4", "no-ex", "UnsignedMetadata", lambda: msi.signed(ex=False, version=4))
good("without_ex_renamed_windows", after(lambda r: setattr(r.find(CAB), "name", r.find(CAB).name + "x"), ex=False), rule="no-ex", reason="UnsignedMetadata",
     profile="windows")
bad("without_ex_renamed", "no-ex", "UnsignedMetadata", after(lambda r: setattr(r.find(CAB), "name", r.find(CAB).name + "x"), ex=False))
bad("ex_removed", "ex", "DigestMismatch", after(lambda r: r.remove(msi.EX)))
bad("ex_removed_windows", "ex", "DigestMismatch", after(lambda r: r.remove(msi.EX)), profile="windows")
bad("ex_added", "ex", "DigestMismatch", lambda: _ex_added())
bad("ex_byte", "ex", "DigestMismatch", after(lambda r: setattr(r.find(msi.EX), "data", flipped(r.find(msi.EX).data, 0))))
bad("ex_signed_but_wrong", "ex", "DigestMismatch", lambda: msi.signed(ex_bytes=hashlib.sha256(b"another file").digest()))
bad("ex_signed_but_wrong_windows", "ex", "DigestMismatch", lambda: msi.signed(ex_bytes=hashlib.sha256(b"another file").digest()), profile="windows")
bad("ex_short", "ex", ("Malformed", "DigestMismatch"), lambda: msi.signed(ex_bytes=msi.ex_of(msi.tree())[:31]))
bad("ex_long", "ex", ("Malformed", "DigestMismatch"), lambda: msi.signed(ex_bytes=msi.ex_of(msi.tree()) + b"\0"))
bad("ex_empty", "ex", ("Malformed", "DigestMismatch"), lambda: msi.signed(ex_bytes=b""))
bad("ex_of_other_digest", "ex", ("Malformed", "DigestMismatch"), lambda: msi.signed(ex_bytes=msi.ex_of(msi.tree(), "sha1")))
bad("stream_renamed", "ex", "DigestMismatch", after(lambda r: setattr(r.find(CAB), "name", r.find(CAB).name + "x")))
bad("stream_state_bits", "ex", "DigestMismatch", after(lambda r: setattr(r.find(PROPERTY), "state", 1)))
bad("stream_created", "ex", "DigestMismatch", after(lambda r: setattr(r.find(PROPERTY), "created", 1)))
bad("stream_modified", "ex", "DigestMismatch", after(lambda r: setattr(r.find(PROPERTY), "modified", 1)))
bad("root_state_bits", "ex", "DigestMismatch", after(lambda r: setattr(r, "state", 1)))
bad("storage_modified", "ex", "DigestMismatch", after(lambda r: setattr(r.find("KitA"), "modified", 1), msi.patch_tree))
bad("storage_renamed", "ex", "DigestMismatch", after(lambda r: setattr(r.find("KitA"), "name", "KitB"), msi.patch_tree))
bad("bytes_moved_between_streams", "ex", "DigestMismatch", after(lambda r: _move_bytes(r)))
bad("empty_stream_added", "ex", "DigestMismatch", after(lambda r: r.children.append(cfb.Entry("zz", b""))))


def _ex_added() -> bytes:
    root = msi.signed_tree(ex=False)
    root.children.append(cfb.Entry(msi.EX, msi.ex_of(root)))
    return cfb.Compound(root).pack()


def _move_bytes(root: cfb.Entry) -> None:
    """The hashed bytes stay the same: the first byte of one stream becomes the last of the one before it."""
    kids = [c for c in msi.ordered(root, True) if c.data]
    kids[0].data, kids[1].data = kids[0].data + kids[1].data[:1], kids[1].data[1:]


# -- the signature stream --------------------------------------------------------------------------------------------------

_TAIL: Codes = ("TrailingData", "Malformed")
bad("zero_after_der", "der", _TAIL, after(lambda r: setattr(r.find(msi.SIGNATURE), "data", r.find(msi.SIGNATURE).data + b"\0")))
bad("junk_after_der", "der", _TAIL, after(lambda r: setattr(r.find(msi.SIGNATURE), "data", r.find(msi.SIGNATURE).data + b"junk")))
bad("junk_after_der_and_big", "der", _TAIL, after(lambda r: setattr(r.find(msi.SIGNATURE), "data", r.find(msi.SIGNATURE).data + msi.fill(5000))))
bad("der_cut_short", "der", "Malformed", after(lambda r: setattr(r.find(msi.SIGNATURE), "data", r.find(msi.SIGNATURE).data[:-1])))
bad("der_length_not_minimal", "der", "Malformed", after(lambda r: setattr(r.find(msi.SIGNATURE), "data", der.long_form(r.find(msi.SIGNATURE).data, 1))))

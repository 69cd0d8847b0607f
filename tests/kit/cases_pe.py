"""Wrong headers, wrong certificate tables, wrong page hashes, wrong checksums.

Where a header is wrong, the file is still hashed and signed over those very bytes, so that only the header speaks against it."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any, Callable

from . import cms, der, pe
from .case import Built, Case, Codes, built

CASES: list[Case] = []
Image = pe.Image


def bad(name: str, rule: str, make: Callable[[], bytes], reason: Codes, *more: str, windows: bool = False, verdict: Any = "refused", **rest: Any) -> None:
    """A refusal in strict, and with windows=True in the windows profile as well."""
    for profile in ("strict", "windows") if windows else ("strict",):
        CASES.append(Case("pe_" + name + ("_windows" if profile == "windows" else ""), rule,
                          lambda folder: built(folder, "bad.exe", make(), *more), verdict, reason, profile=profile, **rest))


def tolerated(name: str, rule: str, make: Callable[[], bytes], finding: Codes, *more: str, profile: str = "windows") -> None:
    CASES.append(Case("pe_" + name + ("_windows" if profile == "windows" else ""), rule,
                      lambda folder: built(folder, "bad.exe", make(), *more), "accepted", finding, profile=profile))


def flip(data: bytes, at: int, mask: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1:]


def put(data: bytes, at: int, form: str, *values: int) -> bytes:
    new = struct.pack("<" + form, *values)
    return data[:at] + new + data[at + len(new):]


def recheck(data: bytes, image: Image | None = None) -> bytes:
    """The checksum set right again, so that it cannot be what gives the change away."""
    at = (image or Image()).checksum_at
    return put(data, at, "I", pe.checksum(data, at))


def header(at: int, form: str, value: int, image: Image | None = None) -> bytes:
    """Signed over a header in which one field was changed before."""
    return pe.signed(image, data_edit=lambda d: put(d, at, form, value))


def signed_then(change: Callable[[bytes], bytes], image: Image | None = None) -> bytes:
    """Changed after signing, checksum set right."""
    return recheck(change(pe.signed(image)), image)


I = Image()
COFF = I.lfanew + 4
TABLE = I.opt_at + 240                                               # the first section header of PE32+
TABLE_AT = 0x600                                                     # where the certificate table of the plain image starts

# -- content that was changed ----------------------------------------------------------------------------------------------
for where, at in (("dos_header", 0x10), ("dos_stub", 0x50), ("time_stamp", COFF + 4), ("entry_point", I.opt_at + 16), ("section_header", TABLE + 36),
                  ("code", 0x220), ("last_section", 0x5FF)):
    bad("flipped_" + where, "cms.nothing_to_compare", lambda at=at: signed_then(lambda d: flip(d, at)), "DigestMismatch", windows=True)
bad("flipped_overlay", "cms.nothing_to_compare", lambda: signed_then(lambda d: flip(d, 0x604), Image(overlay=b"x" * 64)), "DigestMismatch", windows=True)
bad("unsigned", "cms.nothing_to_compare", lambda: Image().bytes(), "Unsigned", verdict="unsigned", windows=True)
bad("unsigned_pe32", "cms.nothing_to_compare", lambda: Image(plus=False).bytes(), "Unsigned", verdict="unsigned")
bad("directory_wiped", "cms.nothing_to_compare", lambda: signed_then(lambda d: put(d, I.security_at, "II", 0, 0)), "Unsigned", verdict="unsigned", windows=True)

# -- headers ---------------------------------------------------------------------------------------------------------------
NO_PE = dict(verdict=("refused", "unsupported"))                     # such a file may as well be called a DOS program
bad("lfanew_past_end", "pe.e_lfanew", lambda: header(0x3C, "I", 0x10000), ("Malformed", "Unsupported"), windows=True, **NO_PE)
bad("lfanew_wraps", "pe.e_lfanew", lambda: header(0x3C, "I", 0xFFFFFFF0), ("Malformed", "Unsupported"), windows=True, **NO_PE)
bad("lfanew_at_last_bytes", "pe.e_lfanew", lambda: header(0x3C, "I", 0x5FC), ("Malformed", "Unsupported"), **NO_PE)
bad("lfanew_zero", "pe.e_lfanew", lambda: header(0x3C, "I", 0), ("Malformed", "Unsupported"), **NO_PE)
bad("lfanew_inside_dos_header", "pe.e_lfanew", lambda: pe.signed(Image(lfanew=0x10, sections=[], headers_size=0x200)), "Malformed", **NO_PE)
bad("signature_not_pe", "pe.e_lfanew", lambda: pe.signed(Image(signature=b"NE\0\0")), ("Malformed", "Unsupported"), **NO_PE)
bad("truncated_in_dos_header", "pe.e_lfanew", lambda: Image().bytes()[:0x30], ("Malformed", "Unsupported", "Unsigned"), verdict=("refused", "unsupported"))
bad("truncated_in_optional_header", "pe.opt_size", lambda: Image().bytes()[:I.opt_at + 40], "Malformed")
bad("truncated_in_section_table", "pe.sections", lambda: Image().bytes()[:TABLE + 20], "Malformed")

bad("optional_header_zero", "pe.opt_size", lambda: pe.signed(Image(opt_size=0)), "Malformed", windows=True)
bad("optional_header_short", "pe.opt_size", lambda: pe.signed(Image(opt_size=0x60)), "Malformed", windows=True)
bad("optional_header_ends_in_directories", "pe.opt_size", lambda: pe.signed(Image(opt_size=112 + 8 * 4 + 4)), "Malformed", windows=True)
bad("optional_header_past_end", "pe.opt_size", lambda: pe.signed(Image(opt_size=0xFFF0)), "Malformed", windows=True)
bad("optional_header_other_size", "pe.opt_size", lambda: pe.signed(Image(opt_size=0xE0)), "Malformed")
bad("directories_many", "pe.n_dirs", lambda: pe.signed(Image(n_dirs=0xFFFFFFFF)), "Malformed", windows=True)
bad("directories_wrap", "pe.n_dirs", lambda: pe.signed(Image(n_dirs=0x20000004)), "Malformed", windows=True)
bad("directories_17", "pe.n_dirs", lambda: pe.signed(Image(n_dirs=17)), "Malformed")
bad("directories_4", "pe.n_dirs", lambda: pe.signed(Image(n_dirs=4)), ("Malformed", "Unsigned"), verdict=("refused", "unsigned"), windows=True)
bad("directories_0", "pe.n_dirs", lambda: pe.signed(Image(n_dirs=0)), ("Malformed", "Unsigned"), verdict=("refused", "unsigned"), windows=True)

bad("magic_unknown", "pe.both", lambda: pe.signed(Image(magic=0x999)), ("Malformed", "Unsupported"), verdict=("refused", "unsupported"))
bad("magic_rom", "pe.both", lambda: pe.signed(Image(magic=0x107)), ("Malformed", "Unsupported"), verdict=("refused", "unsupported"))
bad("pe32plus_called_pe32", "pe.both", lambda: pe.signed(Image(magic=0x10B)), ("Malformed", "Unsigned"), verdict=("refused", "unsigned"), windows=True)
bad("pe32_called_pe32plus", "pe.both", lambda: pe.signed(Image(plus=False, magic=0x20B)), ("Malformed", "Unsigned"), verdict=("refused", "unsigned"), windows=True)


def sections(*more: pe.Section, **image: Any) -> Image:
    return Image(sections=[*pe.default_sections(), *more], **image)


def moved(index: int, at: int, size: int = 0x200) -> bytes:
    """One section header says another place in the file than its data lies at."""
    return pe.signed(data_edit=lambda d: put(d, TABLE + 40 * index + 16, "II", size, at))


bad("sections_overlap", "pe.sections", lambda: moved(1, 0x300), "Malformed", windows=True)
bad("sections_same_place", "pe.sections", lambda: moved(1, 0x200), "Malformed", windows=True)
bad("section_over_headers", "pe.sections", lambda: moved(0, 0x100, 0x300), "Malformed", windows=True)
bad("section_past_end", "pe.sections", lambda: moved(1, 0x400, 0x10000), "Malformed", windows=True)
bad("section_starts_past_end", "pe.sections", lambda: moved(1, 0x20000), "Malformed", windows=True)
bad("section_wraps", "pe.sections", lambda: moved(1, 0x400, 0xFFFFFE00), "Malformed", windows=True)
bad("sections_not_sorted", "pe.sections", lambda: pe.signed(data_edit=swap_sections), "Malformed")
bad("sections_65535", "pe.sections", lambda: pe.signed(Image(n_sections=0xFFFF)), "Malformed", windows=True)
bad("section_table_past_headers", "pe.sections", lambda: pe.signed(Image(n_sections=9)), "Malformed")
bad("headers_size_zero", "pe.sections", lambda: pe.signed(Image(headers_size=0)), "Malformed")
bad("headers_size_cuts_section_table", "pe.sections", lambda: pe.signed(Image(headers_size=0x190)), "Malformed")
bad("headers_size_past_end", "pe.sections", lambda: pe.signed(Image(headers_size=0x100000)), "Malformed", windows=True)


def swap_sections(data: bytes) -> bytes:
    first, second = data[TABLE:TABLE + 40], data[TABLE + 40:TABLE + 80]
    return data[:TABLE] + second + first + data[TABLE + 80:]


def gap(hide: bool) -> bytes:
    """0x200 bytes between two sections. hide: they are left out of the hash, as a walk along the sections would do."""
    image = Image(sections=[pe.default_sections()[0], pe.Section(b".data", 0x2000, 0x600, b"d" * 0x200)])
    data = put(image.bytes(), 0x400, "8s", b"payload!")
    value = pe.digest(data[:0x400] + data[0x600:], image) if hide else pe.digest(data, image)
    signature = cms.authenticode(cms.indirect(cms.pe_data(), value))
    return pe.embed(data, image, pe.win_certificate(signature))


bad("gap_left_out_of_hash", "pe.sections", lambda: gap(True), ("DigestMismatch", "Malformed", "UncoveredData"), windows=True)

# -- the certificate table -------------------------------------------------------------------------------------------------


def table(**wrong: Any) -> Callable[[], bytes]:
    return lambda: pe.signed(table=wrong)


def directory(**wrong: Any) -> Callable[[], bytes]:
    return lambda: pe.signed(dir=wrong)


def second_entry(before: bytes = b"", after: bytes = b"", count: int = 1) -> bytes:
    """Entries around the real one, all inside the directory's size."""
    image = Image()
    data = image.bytes()
    entry = pe.win_certificate(cms.authenticode(pe.spc(data, image)))
    return pe.embed(data, image, before + entry * count + after)


def unaligned() -> bytes:
    image = Image(overlay=b"x" * 13, pad_to=1)
    return pe.signed(image)


def inside_section() -> bytes:
    """The section reaches over the certificate table: what signs it would be part of it."""
    return moved(1, 0x400, 0x400)


def in_header() -> bytes:
    """A table that starts within the headers."""
    return pe.signed(dir={"at": 0x180, "size": 0x10})


bad("table_not_aligned", "pe.aligned", unaligned, "Malformed")
bad("table_inside_section", "pe.after_sections", inside_section, "Malformed", windows=True)
bad("table_in_headers", "pe.after_sections", in_header, "Malformed", windows=True)
bad("table_before_sections", "pe.after_sections", directory(at=0x200), "Malformed", windows=True)
bad("table_past_end", "pe.after_sections", directory(at=0x10000), "Malformed", windows=True)
bad("table_offset_wraps", "pe.after_sections", directory(at=0xFFFFFFF8), "Malformed", windows=True)
bad("table_offset_zero", "pe.after_sections", directory(at=0), ("Malformed", "Unsigned"), verdict=("refused", "unsigned"), windows=True)

bad("bytes_after_table", "pe.ends_at_eof", directory(after=b"payload after the signature"), "TrailingData", windows=True)
bad("one_byte_after_table", "pe.ends_at_eof", directory(after=b"\0"), "TrailingData", windows=True)
bad("eight_zeroes_after_table", "pe.ends_at_eof", directory(after=bytes(8)), "TrailingData", windows=True)
bad("megabyte_after_table", "pe.ends_at_eof", directory(after=b"Z" * (1 << 20)), "TrailingData", windows=True)
bad("truncated_in_table", "pe.ends_at_eof", lambda: signed_then(lambda d: d[:-64]), "Malformed", windows=True)
bad("truncated_before_table", "pe.ends_at_eof", lambda: signed_then(lambda d: d[:TABLE_AT]), "Malformed", windows=True)

JUNK_ENTRY = ("Malformed", "UncoveredData", "TrailingData", "CertificateTablePadding")
bad("two_real_entries", "pe.one_entry", lambda: second_entry(count=2), JUNK_ENTRY)
bad("junk_entry_before", "pe.junk_entries", lambda: second_entry(before=pe.win_certificate(b"junk" * 8)), JUNK_ENTRY, windows=True)
bad("junk_entry_after", "pe.junk_entries", lambda: second_entry(after=pe.win_certificate(b"junk" * 8)), JUNK_ENTRY)
bad("x509_entry_after", "pe.junk_entries", lambda: second_entry(after=pe.win_certificate(b"junk" * 8, kind=1)), JUNK_ENTRY)
bad("empty_entry_after", "pe.junk_entries", lambda: second_entry(after=struct.pack("<IHH", 8, 0x200, 2)), JUNK_ENTRY)
bad("zero_length_entry_after", "pe.zero_length", lambda: second_entry(after=struct.pack("<IHH", 0, 0x200, 2)), JUNK_ENTRY)
bad("zero_length_entry_before", "pe.zero_length", lambda: second_entry(before=struct.pack("<IHH", 0, 0x200, 2)), JUNK_ENTRY, windows=True)
bad("zeroes_as_entries_after", "pe.zero_length", lambda: second_entry(after=bytes(4096)), JUNK_ENTRY)

bad("revision_1", "pe.revision", table(revision=0x0100), ("Malformed", "Unsupported"), windows=True)
bad("revision_ffff", "pe.revision", table(revision=0xFFFF), ("Malformed", "Unsupported"))
bad("type_x509", "pe.type", table(kind=1), ("Malformed", "Unsupported"), windows=True)
bad("type_ts_stack", "pe.type", table(kind=4), ("Malformed", "Unsupported"), windows=True)
bad("type_efi", "pe.type", table(kind=0xEF1), ("Malformed", "Unsupported"))

bad("dwlength_zero", "pe.zero_length", table(length=0), "Malformed", windows=True)
bad("dwlength_seven", "pe.dwlength", table(length=7), "Malformed", windows=True)
bad("dwlength_header_only", "pe.dwlength", table(length=8), "Malformed", windows=True)
bad("dwlength_cuts_der", "pe.dwlength", table(length=600), "Malformed", windows=True)
bad("dwlength_past_directory", "pe.dwlength", table(length=0x7FFFFFFF), "Malformed", windows=True)
bad("dwlength_wraps", "pe.dwlength", table(length=0xFFFFFFFF), "Malformed", windows=True)
bad("eight_zeroes_after_der", "pe.dwlength", table(pad=bytes(16)), ("CertificateTablePadding", "Malformed"))


bad("directory_size_short", "pe.dir_size", lambda: sized(-8), ("Malformed", "TrailingData"), windows=True)
bad("directory_size_long", "pe.dir_size", lambda: sized(8), "Malformed", windows=True)
bad("directory_size_huge", "pe.dir_size", lambda: directory(size=0xFFFFFFF8)(), "Malformed", windows=True)
bad("directory_size_zero", "pe.dir_size", lambda: directory(size=0)(), ("Malformed", "Unsigned", "TrailingData"), verdict=("refused", "unsigned"), windows=True)
bad("directory_size_four", "pe.dir_size", lambda: directory(size=4)(), ("Malformed", "TrailingData"), windows=True)
bad("directory_size_not_aligned", "pe.dir_size", lambda: sized(-1), ("Malformed", "TrailingData"))
bad("directory_has_room_after_entry", "pe.dir_size", lambda: pe.signed(table={"pad": b"", "tail": bytes(24)}), JUNK_ENTRY)


def sized(change: int) -> bytes:
    """The directory's size off by some bytes."""
    plain = pe.signed()
    size = struct.unpack_from("<I", plain, I.security_at + 4)[0]
    return recheck(put(plain, I.security_at + 4, "I", size + change))


bad("junk_after_der", "pe.junk_after_der", table(pad=b"16 bytes of junk"), "CertificateTablePadding")
bad("script_after_der", "pe.junk_after_der", table(pad=b"powershell -enc ..".ljust(4096, b"#")), "CertificateTablePadding")
bad("junk_in_the_last_bytes", "pe.junk_after_der", lambda: last_byte(b"\x01"), "CertificateTablePadding")
bad("junk_behind_dwlength", "pe.junk_after_der", lambda: dirty_tail(), ("CertificateTablePadding", "UncoveredData"))
tolerated("junk_after_der", "pe.junk_after_der", table(pad=b"16 bytes of junk"), "CertificateTablePadding")
tolerated("script_after_der", "pe.junk_after_der", table(pad=b"powershell -enc ..".ljust(4096, b"#")), "CertificateTablePadding")
tolerated("junk_after_der_allowed", "pe.junk_after_der", table(pad=b"16 bytes of junk"), "CertificateTablePadding", "--allow", "CertificateTablePadding",
          profile="strict")


def not_aligned(**sign: Any) -> tuple[Image, bytes, bytes]:
    """A plain image and a signature for it whose length is no multiple of eight."""
    image = Image()
    data = image.bytes()
    for extra in range(8):
        signature = cms.authenticode(pe.spc(data, image), program="Orchard" + "!" * extra, **sign)
        if len(signature) % 8 in (2, 3, 4, 5):
            return image, data, signature
    raise AssertionError("every length is a multiple of eight")


def last_byte(junk: bytes) -> bytes:
    """Padding of the right length whose last byte is not zero."""
    image, data, signature = not_aligned()
    room = -len(signature) % 8
    return pe.embed(data, image, pe.win_certificate(signature, pad=junk.rjust(room, b"\0")))


def dirty_tail() -> bytes:
    """The bytes between dwLength and the directory's end are not zero."""
    image, plain, signature = not_aligned()
    return pe.embed(plain, image, pe.win_certificate(signature, pad=b"", tail=b"\x55" * (-len(signature) % 8)))


def junk_behind() -> bytes:
    return pe.signed(table={"pad": b"16 bytes of junk"})


def whole_hash(right: bool, make: Callable[[], bytes] = junk_behind) -> Callable[[Path], Built]:
    """--sha256 of the file, or another."""
    def build(folder: Path) -> Built:
        data = make()
        value = hashlib.sha256(data).hexdigest()
        return built(folder, "pinned.exe", data, "--sha256", value if right else "00" + value[2:])
    return build


CASES.append(Case("pe_junk_after_der_but_whole_file_pinned", "pe.junk_after_der", whole_hash(True), "accepted",
                  may=("CertificateTablePadding",)))
CASES.append(Case("pe_whole_file_hash_wrong", "cms.nothing_to_compare", whole_hash(False), "refused", "DigestMismatch"))

CASES.append(Case("pe_flipped_code_but_whole_file_pinned", "cms.nothing_to_compare", whole_hash(True, lambda: signed_then(lambda d: flip(d, 0x220))),
                  "refused", "DigestMismatch"))
CASES.append(Case("pe_checksum_wrong_but_whole_file_pinned", "pe.checksum", whole_hash(True, directory(set_checksum=0x12345678)), "accepted",
                  may=("ChecksumMismatch",)))
CASES.append(Case("pe_unsigned_but_whole_file_pinned", "cms.nothing_to_compare", whole_hash(True, lambda: Image().bytes()), ("unsigned", "refused"), "Unsigned"))

# -- page hashes -----------------------------------------------------------------------------------------------------------
ENTRY = 4 + 32


def pages(change: Callable[[bytes], bytes], **sign: Any) -> Callable[[], bytes]:
    return lambda: pe.signed(pages="sha256", pages_edit=change, **sign)


WRONG_PAGES = ("PageHashMismatch", "Malformed")                     # the table's shape or what it says
bad("page_hash_of_headers_wrong", "pe.page_hashes", pages(lambda t: flip(t, 4)), "PageHashMismatch", windows=True)
bad("page_hash_of_code_wrong", "pe.page_hashes", pages(lambda t: flip(t, ENTRY + 9)), "PageHashMismatch", windows=True)
bad("page_hash_of_last_section_wrong", "pe.page_hashes", pages(lambda t: flip(t, 3 * ENTRY - 1)), "PageHashMismatch")
bad("page_hash_offset_wrong", "pe.page_hashes", pages(lambda t: put(t, ENTRY, "I", 0x208)), WRONG_PAGES)
bad("page_hashes_end_wrong", "pe.page_hashes", pages(lambda t: put(t, 3 * ENTRY, "I", 0x400)), WRONG_PAGES)
bad("page_hashes_end_not_zero", "pe.page_hashes", pages(lambda t: flip(t, len(t) - 1)), WRONG_PAGES)
bad("page_hashes_no_end", "pe.page_hashes", pages(lambda t: t[:-ENTRY]), WRONG_PAGES)
bad("page_hashes_lack_a_page", "pe.page_hashes", pages(lambda t: t[:ENTRY] + t[2 * ENTRY:]), WRONG_PAGES)
bad("page_hashes_one_too_many", "pe.page_hashes", pages(lambda t: t + t[-ENTRY:]), WRONG_PAGES)
bad("page_hashes_not_sorted", "pe.page_hashes", pages(lambda t: t[:ENTRY] + t[2 * ENTRY:3 * ENTRY] + t[ENTRY:2 * ENTRY] + t[3 * ENTRY:]), WRONG_PAGES)
bad("page_hashes_cut", "pe.page_hashes", pages(lambda t: t[:-1]), WRONG_PAGES)
bad("page_hashes_empty", "pe.page_hashes", pages(lambda t: b""), WRONG_PAGES)
bad("page_hashes_sha1_called_sha256", "pe.page_hashes", lambda: mixed_pages(), WRONG_PAGES)
bad("page_hashes_right_file_digest_wrong", "pe.page_hashes", lambda: pe.signed(pages="sha256", spc_edit=lambda s: der.edit(s, (1, 1), der.octets(b"\x11" * 32))),
    "DigestMismatch", windows=True)
bad("page_hashes_unknown_class", "pe.page_hashes", lambda: unknown_class(), ("Malformed", "Unsupported", "PageHashMismatch", "ContentTypeMismatch"))


def custom_pages(data_of: Callable[[bytes, Image], bytes]) -> bytes:
    image = Image()
    data = image.bytes()
    signature = cms.authenticode(cms.indirect(data_of(data, image), pe.digest(data, image)))
    return pe.embed(data, image, pe.win_certificate(signature))


def mixed_pages() -> bytes:
    return custom_pages(lambda data, image: cms.pe_data(pe.page_hashes(data, image, "sha1"), "sha256"))


def unknown_class() -> bytes:
    return custom_pages(lambda data, image: cms.pe_data(pe.page_hashes(data, image), class_id=bytes(range(16))))


# -- the checksum ----------------------------------------------------------------------------------------------------------
bad("checksum_wrong", "pe.checksum", directory(set_checksum=0x12345678), "ChecksumMismatch")
bad("checksum_off_by_one", "pe.checksum", directory(set_checksum=lambda right: right + 1), "ChecksumMismatch")
tolerated("checksum_wrong", "pe.checksum", directory(set_checksum=0x12345678), "ChecksumMismatch")
tolerated("checksum_wrong_allowed", "pe.checksum", directory(set_checksum=0x12345678), "ChecksumMismatch", "--allow", "ChecksumMismatch", profile="strict")

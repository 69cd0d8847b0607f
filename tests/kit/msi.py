"""MSI-like compound files, their Authenticode hash, and the two streams that sign them.

The hash takes the children of a storage in the order of their names' UTF-16LE bytes: a stream's bytes, a storage's children,
then the storage's CLSID. With MsiDigitalSignatureEx, a hash of names, sizes, CLSIDs, state bits and times goes first.
"""
import hashlib
import struct

from . import cfb, cms

SIGNATURE, EX = "\5DigitalSignature", "\5MsiDigitalSignatureEx"
MSI_CLSID = bytes.fromhex("84100c0000000000c000000000000046")
MSP_CLSID = bytes.fromhex("86100c0000000000c000000000000046")
MST_CLSID = bytes.fromhex("82100c0000000000c000000000000046")
SIP_GUID = bytes.fromhex("f1100c0000000000c000000000000046")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"


def encode_name(name, table=False):
    """A stream's name as Windows Installer packs it: two characters in one code unit."""
    out, i = "\u4840" if table else "", 0
    while i < len(name):
        low = _ALPHABET.find(name[i])
        high = _ALPHABET.find(name[i + 1]) if i + 1 < len(name) else -1
        if low >= 0 and high >= 0:
            out, i = out + chr(0x3800 + low + (high << 6)), i + 2
        else:
            out, i = out + (chr(0x4800 + low) if low >= 0 else name[i]), i + 1
    return out


def fill(n, seed=7):
    """n bytes that look like nothing in particular and never repeat a sector."""
    out = b"".join(hashlib.sha256(struct.pack("<II", seed, i)).digest() for i in range(-(-n // 32)))
    return out[:n]


def summary():
    """A property set stream with one section that names the code page."""
    fmtid = bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9")
    section = struct.pack("<IIII", 24, 1, 1, 16) + struct.pack("<II", 2, 1252)
    return struct.pack("<HHI16sI", 0xFFFE, 0, 0x00020006, bytes(16), 1) + fmtid + struct.pack("<I", 48) + section


def tree(big=9000, clsid=MSI_CLSID, created=0, modified=0):
    """A small MSI: mini streams, an empty one, one big stream."""
    stream = cfb.Entry
    return cfb.root([
        stream(encode_name("_StringPool", True), fill(200, 1)), stream(encode_name("_StringData", True), fill(700, 2)),
        stream(encode_name("_Tables", True), fill(24, 3)), stream(encode_name("_Columns", True), fill(90, 4)),
        stream(encode_name("Property", True), fill(64, 5)), stream(encode_name("File", True), b""),
        stream(encode_name("kit.cab"), fill(big, 6)), stream("\5SummaryInformation", summary())],
        clsid=clsid, created=created, modified=modified)


def patch_tree():
    """A small MSP: two transforms as nested storages, one of which holds streams named like the signature's."""
    def transform(name, seed):
        return cfb.storage(name, [cfb.Entry(encode_name("Property", True), fill(300, seed)),
                                  cfb.Entry("\5SummaryInformation", summary())],
                           clsid=MST_CLSID, created=0x01DC000000000000 + seed, modified=0x01DC000000000100 + seed)
    t = tree(5000, MSP_CLSID)
    t.children += [transform("KitA", 21), transform("#KitA", 22)]
    return t


def deep_tree(depth=40):
    """Storages in storages."""
    t, inner = tree(), [cfb.Entry("leaf", b"leaf")]
    for i in range(depth):
        inner = [cfb.storage("level%d" % i, inner)]
    t.children += inner
    return t


def ordered(entry, top):
    kids = [c for c in entry.children if not (top and c.name in (SIGNATURE, EX))]
    return sorted(kids, key=lambda c: c.raw_name())


def pieces(entry, top=True):
    """The bytes that every MSI signature covers, piece by piece."""
    for c in ordered(entry, top):
        if c.kind == cfb.STORAGE:
            yield from pieces(c, False)
        elif isinstance(c.data, cfb.Zeroes):
            yield from c.data.chunks()
        else:
            yield c.data
    yield entry.clsid


def content(entry):
    return b"".join(pieces(entry))


def metadata(entry, top=True):
    """The bytes that the Ex stream is a hash of."""
    out = b"" if top else entry.raw_name()
    out += struct.pack("<I", len(entry.data) & 0xFFFFFFFF) if entry.kind == cfb.STREAM else entry.clsid
    out += struct.pack("<I", entry.state)
    if not top:
        out += struct.pack("<QQ", entry.created, entry.modified)
    return out + b"".join(metadata(c, False) for c in ordered(entry, top))


def ex_of(root, algorithm="sha256"):
    return hashlib.new(algorithm, metadata(root)).digest()


def digest(root, ex=None, algorithm="sha256"):
    h = hashlib.new(algorithm, ex or b"")
    for piece in pieces(root):
        h.update(piece)
    return h.digest()


def sign(root, make, ex=True, algorithm="sha256", ex_bytes=None):
    """Adds the signature's streams to a tree and returns it. `make(digest)` gives the signature's DER."""
    root.remove(SIGNATURE, EX)
    raw = (ex_of(root, algorithm) if ex_bytes is None else ex_bytes) if ex else None
    der = make(digest(root, raw, algorithm))
    root.children.append(cfb.Entry(SIGNATURE, der))
    if ex:
        root.children.append(cfb.Entry(EX, raw))
    return root


def maker(signer=None, hash="sha256", guid=SIP_GUID, data=None, **how):
    """A function from digest to signature, as `sign` wants it. `how` goes to cms.authenticode."""
    data = cms.sip_data(guid) if data is None else data
    return lambda value: cms.authenticode(cms.indirect(data, value, hash), signer, hash=hash, **how)


def signed_tree(root=None, ex=True, hash="sha256", ex_bytes=None, **how):
    return sign(root or tree(), maker(hash=hash, **how), ex, hash, ex_bytes)


def signed(root=None, version=3, edit=None, layout=None, **how):
    """A signed file's bytes. `edit` changes the Image before it is written, `layout` goes to Compound."""
    image = cfb.Compound(signed_tree(root, **how), version, **(layout or {})).layout()
    if edit:
        edit(image)
    return image.pack()

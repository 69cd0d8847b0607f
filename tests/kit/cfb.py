"""Compound files (MS-CFB), version 3 (512-byte sectors) and 4 (4096), as MSI and MSP use them.

`parse` reads a sound file into a tree of Entry. `Compound.layout` turns a tree into an Image, in which every field of
header, FAT, mini FAT, DIFAT and directory can be altered before `Image.pack` writes it: that is how hostile files are made.
"""
import struct

FREE, END, FATSECT, DIFSECT, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC, 0xFFFFFFFF
EMPTY, STORAGE, STREAM, ROOT = 0, 1, 2, 5
RED, BLACK = 0, 1
MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
CUTOFF, MINI = 4096, 64


class Entry:
    """One stream, storage or root; children of a storage in any order."""

    def __init__(self, name, data=b"", kind=STREAM, children=(), clsid=bytes(16), state=0, created=0, modified=0):
        self.name, self.data, self.kind, self.children = name, data, kind, list(children)
        self.clsid, self.state, self.created, self.modified = clsid, state, created, modified

    def raw_name(self):
        return self.name.encode("utf-16-le", "surrogatepass")

    def find(self, name):
        return next((c for c in self.children if c.name == name), None)

    def remove(self, *names):
        self.children = [c for c in self.children if c.name not in names]


class Zeroes:
    """The data of a huge stream: zeroes, then `tail`. It is never held in memory."""

    def __init__(self, size, tail=b""):
        self.size, self.tail = size, tail

    def __len__(self):
        return self.size

    def __getitem__(self, part):
        start, stop, _ = part.indices(self.size)
        zeroes = max(0, min(stop, self.size - len(self.tail)) - start)
        return bytes(zeroes) + self.tail[max(0, len(self.tail) - self.size + start):][:stop - start - zeroes]

    def chunks(self, size=1 << 20):
        zeroes = bytes(size)
        left = self.size - len(self.tail)
        while left:
            yield zeroes[:min(size, left)]
            left -= min(size, left)
        yield self.tail


def root(children, clsid=bytes(16), **more):
    return Entry("Root Entry", kind=ROOT, children=children, clsid=clsid, **more)


def storage(name, children, **more):
    return Entry(name, kind=STORAGE, children=children, **more)


class Dirent:
    """A directory entry as it lies in the file. `start` may be None until the layout is done."""

    def __init__(self, name=b"", kind=EMPTY, **fields):
        self.name, self.kind = name, kind
        self.name_len = len(name) + 2 if kind else 0
        self.colour, self.left, self.right, self.child = RED, NONE, NONE, NONE
        self.clsid, self.state, self.created, self.modified, self.start, self.size = bytes(16), 0, 0, 0, 0, 0
        self.__dict__.update(fields)

    def pack(self):
        return self.name.ljust(64, b"\0")[:64] + struct.pack(
            "<HBBIII16sIQQIQ", self.name_len, self.kind, self.colour, self.left, self.right, self.child, self.clsid,
            self.state, self.created, self.modified, self.start, self.size)


def tree_key(entry):
    """Order of siblings: by length, then by upper-cased code units."""
    raw = entry.name.upper().encode("utf-16-le", "surrogatepass")
    return len(entry.raw_name()), [raw[i] | raw[i + 1] << 8 for i in range(0, len(raw), 2)]


class Image:
    """A laid-out compound file. `chain[x]` lists the sectors of x: dir, fat, difat, minifat, mini, and each big stream's
    name; `mini_chain` the mini sectors of small streams. `by_name` finds a Dirent."""

    def __init__(self, version):
        self.sector_shift = 9 if version == 3 else 12
        self.sector = 1 << self.sector_shift
        self.magic, self.header_clsid, self.minor, self.major, self.byte_order = MAGIC, bytes(16), 0x3E, version, 0xFFFE
        self.mini_shift, self.reserved = 6, bytes(6)
        self.n_dir, self.n_fat, self.n_minifat, self.n_difat = 0, 0, 0, 0
        self.dir_start = self.minifat_start = self.difat_start = END
        self.transaction, self.cutoff = 0, CUTOFF
        self.difat, self.difat_rest = [], []
        self.header_pad = b""
        self.fat, self.minifat, self.dirents, self.sectors = [], [], [], []
        self.chain, self.mini_chain, self.by_name = {}, {}, {}
        self.tail = b""

    def offset(self, sector):
        """Where a sector lies in the file."""
        return (sector + 1) * self.sector

    def mini_offset(self, mini):
        """Where a mini sector lies in the file."""
        at = mini * MINI
        return self.offset(self.chain["mini"][at // self.sector]) + at % self.sector

    def stream_offset(self, name):
        """Where the first byte of a stream lies in the file."""
        return self.mini_offset(self.mini_chain[name][0]) if name in self.mini_chain else self.offset(self.chain[name][0])

    def dirent_offset(self, name):
        at = self.dirents.index(self.by_name[name]) * 128
        return self.offset(self.chain["dir"][at // self.sector]) + at % self.sector

    def add_sector(self, content=b"", link=FREE):
        """One more sector at the end of the file; its number."""
        self.sectors.append(content.ljust(self.sector, b"\0"))
        self._set_fat(len(self.sectors) - 1, link)
        return len(self.sectors) - 1

    def _set_fat(self, at, link):
        self.fat += [FREE] * (at + 1 - len(self.fat))
        self.fat[at] = link

    def _words(self, chain, words, fill):
        per = self.sector // 4
        words = words + [fill] * (len(self.chain.get(chain, [])) * per - len(words))
        for i, at in enumerate(self.chain.get(chain, [])):
            self.sectors[at] = struct.pack("<%dI" % per, *words[i * per:(i + 1) * per])

    def _pack_difat(self):
        per, rest = self.sector // 4 - 1, list(self.difat_rest)
        chain = self.chain.get("difat", [])
        for i, at in enumerate(chain):
            part = rest[i * per:(i + 1) * per]
            part += [FREE] * (per - len(part)) + [chain[i + 1] if i + 1 < len(chain) else self.difat_end]
            self.sectors[at] = struct.pack("<%dI" % (per + 1), *part)

    difat_end = END

    def header(self):
        difat = self.difat[:109] + [FREE] * (109 - len(self.difat))
        head = self.magic + self.header_clsid + struct.pack(
            "<HHHHH6sIIIIIIIIII", self.minor, self.major, self.byte_order, self.sector_shift, self.mini_shift, self.reserved,
            self.n_dir, self.n_fat, self.dir_start, self.transaction, self.cutoff, self.minifat_start, self.n_minifat,
            self.difat_start, self.n_difat, difat[0])[:-4] + struct.pack("<109I", *difat)
        return head + self.header_pad.ljust(self.sector - 512, b"\0")

    def _fill(self):
        """Writes the tables into their sectors."""
        self._words("fat", self.fat, FREE)
        self._words("minifat", self.minifat, FREE)
        self._pack_difat()
        raw = b"".join(d.pack() for d in self.dirents)
        for i, at in enumerate(self.chain["dir"]):
            self.sectors[at] = raw[i * self.sector:(i + 1) * self.sector].ljust(self.sector, b"\0")

    def pack(self):
        self._fill()
        return self.header() + b"".join(bytes(s) for s in self.sectors) + self.tail

    def write(self, path):
        """Writes a sparse file: zero sectors are holes."""
        self._fill()
        zero = bytes(self.sector)
        with open(path, "wb") as f:
            f.write(self.header())
            for at, piece in enumerate(self.sectors):
                if piece != zero:
                    f.seek(self.offset(at))
                    f.write(piece)
            f.truncate(self.offset(len(self.sectors)))


class Compound:
    """A tree and the ways to lay it out.

    order:    "plain" or "reversed" (sector numbers run backwards) or "interleaved"
    colours:  "black" (all) or "redblack"
    free:     so many free sectors in the midst, filled with free_fill
    slack:    byte with which the rest of each stream's last sector is filled
    """

    def __init__(self, tree, version=3, order="plain", colours="black", free=0, free_fill=0, slack=0, mini_slack=0,
                 balanced=True):
        self.tree, self.version, self.order, self.colours = tree, version, order, colours
        self.free, self.free_fill, self.slack, self.mini_slack, self.balanced = free, free_fill, slack, mini_slack, balanced

    def layout(self):
        image = Image(self.version)
        self._directory(image)
        pieces = self._pieces(image)
        self._place(image, pieces)
        return image

    # the directory: entries in the order of a walk, siblings as a balanced tree
    def _directory(self, image):
        image.dirents = [self._dirent(image, self.tree, "")]
        self._children(image, image.dirents[0], self.tree, "")

    def _dirent(self, image, entry, path):
        d = Dirent(entry.raw_name(), entry.kind, clsid=entry.clsid, state=entry.state, created=entry.created,
                   modified=entry.modified, colour=BLACK, size=len(entry.data))
        d.entry, d.path = entry, path + entry.name
        image.by_name[d.path] = d
        return d

    def _children(self, image, parent, entry, path):
        kids = [(self._dirent(image, c, path), c) for c in sorted(entry.children, key=tree_key)]
        first = len(image.dirents)
        image.dirents += [d for d, _ in kids]
        depth = len(kids).bit_length()
        parent.child = self._tree(image, first, 0, len(kids), 1, depth)
        for d, c in kids:
            if c.kind == STORAGE:
                self._children(image, d, c, d.path + "/")

    def _tree(self, image, first, low, high, level, depth):
        if low >= high:
            return NONE
        middle = (low + high) // 2 if self.balanced else low
        d = image.dirents[first + middle]
        d.left = self._tree(image, first, low, middle, level + 1, depth)
        d.right = self._tree(image, first, middle + 1, high, level + 1, depth)
        d.colour = RED if self.colours == "redblack" and level == depth and level > 1 else BLACK
        return first + middle

    # the pieces: what needs sectors, and the bytes in each
    def _pieces(self, image):
        pieces, mini = [], bytearray()
        for d in image.dirents:
            if d.kind != STREAM:
                continue
            data = d.entry.data
            if not data:
                d.start = END
            elif len(data) < CUTOFF:
                d.start = len(mini) // MINI
                count = -(-len(data) // MINI)
                image.mini_chain[d.path] = list(range(d.start, d.start + count))
                image.minifat += [d.start + i + 1 for i in range(count - 1)] + [END]
                mini += data.ljust(count * MINI, bytes([self.mini_slack]))
            else:
                pieces.append((d.path, data, self.slack))
        if mini:
            image.dirents[0].size = len(mini)
            pieces.append(("mini", bytes(mini), self.slack))
            pieces.append(("minifat", bytes(4 * len(image.minifat)), 0))
        else:
            image.dirents[0].start = END
        per = image.sector // 128
        image.dirents += [Dirent(left=NONE, right=NONE, child=NONE) for _ in range(-len(image.dirents) % per)]
        pieces.append(("dir", bytes(128 * len(image.dirents)), 0))
        return pieces

    def _place(self, image, pieces):
        size, per = image.sector, image.sector // 4
        used = sum(-(-len(data) // size) for _, data, _ in pieces) + self.free
        n_fat = n_difat = 0
        while n_fat * per < used + n_fat + n_difat:
            n_fat += 1
            n_difat = -(-max(0, n_fat - 109) // (per - 1))
        pieces = pieces + [("fat", bytes(n_fat * size), 0)] + ([("difat", bytes(n_difat * size), 0)] if n_difat else [])
        total = used + n_fat + n_difat
        numbers = self._numbers(total)
        image.sectors, image.fat = [b""] * total, [FREE] * total
        pieces.insert(len(pieces) // 2, ("free", b"", 0))
        for name, data, slack in pieces:
            count = self.free if name == "free" else -(-len(data) // size)
            mine, numbers = numbers[:count], numbers[count:]
            if name == "free":
                for at in mine:
                    image.sectors[at] = bytes([self.free_fill]) * size
                continue
            image.chain[name] = mine
            zero = bytes(size)
            for i, at in enumerate(mine):
                piece = data[i * size:(i + 1) * size].ljust(size, bytes([slack]))
                image.sectors[at] = zero if piece == zero else piece           # one object for all holes
                image.fat[at] = mine[i + 1] if i + 1 < count else END
            for d in image.dirents:
                if d.kind == STREAM and d.path == name:
                    d.start = mine[0]
        for name, mark in (("fat", FATSECT), ("difat", DIFSECT)):
            for at in image.chain.get(name, []):
                image.fat[at] = mark
        self._fields(image)

    def _numbers(self, total):
        if self.order == "reversed":
            return list(range(total))[::-1]
        if self.order == "interleaved":
            return list(range(0, total, 2)) + list(range(1, total, 2))
        return list(range(total))

    def _fields(self, image):
        chain = image.chain
        image.dir_start, image.n_fat = chain["dir"][0], len(chain["fat"])
        image.n_dir = len(chain["dir"]) if self.version == 4 else 0
        image.difat, image.difat_rest = chain["fat"][:109], chain["fat"][109:]
        if "mini" in chain:
            image.dirents[0].start = chain["mini"][0]
            image.minifat_start, image.n_minifat = chain["minifat"][0], len(chain["minifat"])
        if "difat" in chain:
            image.difat_start, image.n_difat = chain["difat"][0], len(chain["difat"])

    def pack(self):
        return self.layout().pack()


def parse(data):
    """The tree of a sound compound file (no checks beyond those of Python)."""
    major, = struct.unpack_from("<H", data, 26)
    shift, = struct.unpack_from("<H", data, 30)
    size = 1 << shift
    n_fat, dir_start = struct.unpack_from("<II", data, 44)
    minifat_start, _, difat_at, n_difat = struct.unpack_from("<IIII", data, 60)

    def sector(at):
        return data[(at + 1) * size:(at + 2) * size].ljust(size, b"\0")

    def words(raw):
        return list(struct.unpack("<%dI" % (len(raw) // 4), raw))

    difat = words(data[76:512])
    for _ in range(n_difat):
        part = words(sector(difat_at))
        difat, difat_at = difat + part[:-1], part[-1]
    fat = [w for at in difat[:n_fat] for w in words(sector(at))]

    def chain(at):
        out = []
        while at < DIFSECT:
            out.append(sector(at))
            at = fat[at]
        return b"".join(out)

    raw_dir, minifat = chain(dir_start), words(chain(minifat_start))
    slots = [raw_dir[i:i + 128] for i in range(0, len(raw_dir), 128)]
    mini = b""

    def stream(start, length):
        if length >= CUTOFF:
            return chain(start)[:length]
        out = b""
        while len(out) < length:
            out += mini[start * MINI:start * MINI + MINI]
            start = minifat[start]
        return out[:length]

    def entry(slot):
        name_len, kind, _, _, _, child, clsid, state, created, modified, start, length = struct.unpack(
            "<HBBIII16sIQQIQ", slot[64:])
        length &= 0xFFFFFFFF if major == 3 else length
        name = slot[:max(0, name_len - 2)].decode("utf-16-le", "surrogatepass")
        e = Entry(name, stream(start, length) if kind == STREAM else b"", kind, [], clsid, state, created, modified)
        e.children = [entry(slots[i]) for i in siblings(child)] if kind != STREAM else []
        return e

    def siblings(at):
        if at == NONE:
            return []
        left, right = struct.unpack_from("<II", slots[at], 68)
        return siblings(left) + [at] + siblings(right)

    start, = struct.unpack_from("<I", slots[0], 116)
    mini = chain(start)
    return entry(slots[0])

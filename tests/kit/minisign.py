"""minisign keys and signatures, made with Ed25519 from python3-cryptography."""
import base64
import hashlib
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Key:
    """A key pair that lives as long as the test. `algorithm` is what the public key file says (Ed)."""

    def __init__(self, key_id=None):
        self.private = Ed25519PrivateKey.generate()
        self.key_id = key_id or os.urandom(8)

    def public_raw(self):
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def public_file(self, algorithm=b"Ed", comment=None, raw=None):
        comment = "minisign public key %s" % self.key_id[::-1].hex().upper() if comment is None else comment
        body = algorithm + self.key_id + (raw or self.public_raw())
        return ("untrusted comment: %s\n%s\n" % (comment, base64.b64encode(body).decode())).encode()


def sign(key, content, algorithm=b"ED", trusted="timestamp:1767225600\tfile:a.bin\thashed", untrusted="signature from kit",
         key_id=None, label=None, global_over=None, eol="\n"):
    """A .minisig file. `label` is the algorithm written where it differs from the one used; `global_over` replaces the bytes
    that the trusted comment's signature covers."""
    message = hashlib.blake2b(content).digest() if algorithm == b"ED" else content
    signature = key.private.sign(message)
    over = signature + trusted.encode() if global_over is None else global_over
    body = (label or algorithm) + (key_id or key.key_id) + signature
    return assemble(body, key.private.sign(over), trusted, untrusted, eol)


def assemble(body, global_signature, trusted, untrusted="signature from kit", eol="\n"):
    lines = ["untrusted comment: " + untrusted, base64.b64encode(body).decode(), "trusted comment: " + trusted,
             base64.b64encode(global_signature).decode()]
    return (eol.join(lines) + eol).encode()


def take_apart(raw):
    """(body, global signature, trusted comment) of a .minisig file."""
    lines = raw.decode().splitlines()
    return base64.b64decode(lines[1]), base64.b64decode(lines[3]), lines[2].removeprefix("trusted comment: ")

"""Detached CMS signatures, DER and PEM, over a file beside them."""

from __future__ import annotations

import base64
from typing import Any

from . import cms, der
from .pki import Cert, pem, pki

sign = cms.detached


def as_pem(signature: bytes, label: str = "CMS", eol: str = "\n", width: int = 64) -> bytes:
    """PEM; labels in use are CMS, PKCS7 and (wrongly) CERTIFICATE."""
    if width == 64:
        return pem(label, signature).replace("\n", eol).encode()
    text = base64.b64encode(signature).decode()
    lines = [text[i:i + width] for i in range(0, len(text), width)]
    return (eol.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"]) + eol).encode()


def attached(content: bytes, signer: Cert | None = None, **how: Any) -> bytes:
    """The same signature with the content inside it."""
    signer = signer or pki().leaf
    info = cms.signer_info(signer, content, cms.DATA, **how)
    return cms.signed_data(cms.DATA, der.octets(content), [info], certs=signer.bag)

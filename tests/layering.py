#!/usr/bin/python3
"""Holds the source against the plan of the house: who may include whom, which foreign headers stand where, no `#if` above
platform/, and no function that the style forbids. Prints every breach as file:line and exits 1 if there is one."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# folder -> what of our own it may include, as path prefixes (README.md, "Layers")
OWN = {
    "platform/base": ["platform/base/"],
    "platform/posix": ["platform/"],
    "platform/win32": ["platform/"],
    "platform/odbc": ["platform/"],
    "platform/mock": ["platform/"],
    "platform": ["platform/base/", "platform/sink.h", "platform/source.h", "platform/work.h", "platform/work_os.h",
                 "platform/platform.h", "platform/db.h", "platform/msi.h", "platform/registry.h", "platform/service.h", "platform/task.h", "platform/witness.h", "platform/native.h",
                 "platform/console.h"],
    "manifest": ["manifest/", "platform/base/"],
    "verify": ["verify/", "manifest/", "platform/base/", "platform/source.h", "platform/witness.h", "platform/work.h"],
    "installer/core": ["installer/core/", "verify/", "manifest/", "platform/base/", "platform/sink.h", "platform/source.h",
                       "platform/work.h", "platform/platform.h", "platform/db.h", "platform/msi.h", "platform/registry.h", "platform/service.h", "platform/task.h"],
    "installer/cli": ["installer/", "verify/", "manifest/", "platform/base/", "platform/sink.h", "platform/source.h", "platform/work.h",
                      "platform/platform.h", "platform/console.h"],
    "keys": ["keys/", "verify/", "manifest/", "platform/base/", "platform/sink.h", "platform/source.h", "platform/work.h",
             "platform/platform.h", "platform/console.h", "installer/core/unpack.h", "installer/core/tree_match.h", "installer/core/trust_files.h",
             "installer/core/product_demands.h", "installer/core/revocation.h",
             "installer/cli/opt.h", "installer/cli/print.h"],
    "docs": ["surefoot.h"],
}
# Nobody includes these but themselves.
PRIVATE = {"platform/posix/": "platform/posix", "platform/win32/": "platform/win32", "keys/": "keys",
           "platform/mock/": "platform/mock", "platform/work_os.h": "platform"}

# foreign header prefix -> the files (or folders) that may include it
FOREIGN = {
    "openssl/": ["verify/digest.c", "verify/cert.c", "verify/cert_key.c", "verify/cert_memo.c", "verify/cert_names.c", "verify/cert_private.h",
                 "verify/chain.c", "verify/chain_path.c", "verify/chain_checks.c", "verify/crl.c", "verify/crl.h",
                 "verify/trust.c", "verify/trust_private.h", "verify/minisign.c", "keys/publish/keygen.c",
                 "keys/publish/keyfile_scrypt.c", "keys/publish/keyfile_write.c", "keys/publish/passphrase.c",
                 "keys/publish/sign_cms.c", "keys/publish/sign_identity.c", "keys/publish/sign_pkcs11.c"],
    "libxml/": ["manifest/xml.c", "installer/core/setting_xml.c"],
    "jansson.h": ["installer/cli/print_json.c", "installer/cli/print_sarif.c", "installer/cli/inspect_json.c", "installer/cli/json_parts.c",
                  "installer/cli/report_json.c", "installer/cli/cmd_status.c", "installer/cli/cmd_history.c", "installer/cli/cmd_doctor.c", "installer/cli/cmd_schedule.c",
                  "installer/core/setting_json.c", "keys/publish/print_json.c"],
    "curl/": ["installer/core/fetch_curl.c", "installer/core/fetch_probe.c"],
    "archive.h": ["installer/core/unpack.c", "installer/core/unpack_7z_decode.c", "installer/core/unpack_stream.c", "keys/publish/pack.c"],
    "archive_entry.h": ["installer/core/unpack.c", "installer/core/unpack_7z_decode.c", "installer/core/unpack_stream.c", "keys/publish/pack.c"],
}
C_STANDARD = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h",
              "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "time.h"}
MAY_SEE_THE_SYSTEM = ("platform/odbc", "platform/posix", "platform/win32", "platform/mock")

FORBIDDEN = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|alloca|system|popen|gets)\s*\(")
PRINTF = re.compile(r"\b(printf|fprintf|puts|fputs)\s*\(")
MAY_PRINT = ("installer/cli", "keys/publish", "docs")


def folder_of(path):
    best = ""
    for folder in OWN:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def strip_comments_and_text(source):
    """Blanks comments and string literals, keeping line numbers."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), source)


def include_breach(path, folder, target, is_local):
    owner = next((PRIVATE[p] for p in PRIVATE if target.startswith(p)), None)
    if owner is not None and not path.startswith(owner + "/"):
        return f"{target} is private to {owner}"
    if is_local:
        if not any(target.startswith(allowed) for allowed in OWN[folder]):
            return f"{folder} may not include {target}"
        return None
    for prefix, allowed in FOREIGN.items():
        if target.startswith(prefix):
            return None if path in allowed else f"{target} is not for {path}"
    if target not in C_STANDARD and folder not in MAY_SEE_THE_SYSTEM:
        return f"{target} is no header of the C standard, and {folder} is above the platform"
    return None


def check_file(file):
    path = file.relative_to(ROOT).as_posix()
    folder = folder_of(path)
    source = file.read_text(encoding="utf-8")
    if not folder:
        yield 1, "lies in no folder of the plan"
        return
    for number, line in enumerate(source.splitlines(), 1):
        include = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if include:
            breach = include_breach(path, folder, include.group(2), include.group(1) == '"')
            if breach:
                yield number, breach
        if len(line) > 120:
            yield number, "longer than 120 columns"
    is_header = path.endswith(".h")
    for number, line in enumerate(strip_comments_and_text(source).splitlines(), 1):
        conditional = re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b(.*)", line)
        if conditional and not folder.startswith("platform"):
            guard = is_header and conditional.group(1) == "ifndef" and "SUREFOOT_" in conditional.group(2)
            plus = path == "verify/surefoot.h"  # the public header is also read by C++ and by other builds
            if not guard and not plus:
                yield number, "#if above platform/: choose files in meson, not lines in C"
        if FORBIDDEN.search(line):
            yield number, f"forbidden function {FORBIDDEN.search(line).group(1)}"
        if PRINTF.search(line) and not path.startswith(MAY_PRINT):
            yield number, f"{PRINTF.search(line).group(1)} outside the command lines"


def main():
    files = [f for folder in ("platform", "manifest", "verify", "installer", "keys", "docs")
             for pattern in ("*.c", "*.h") for f in sorted((ROOT / folder).rglob(pattern))]
    breaches = [(f.relative_to(ROOT).as_posix(), n, text) for f in files for n, text in check_file(f)]
    for path, number, text in breaches:
        print(f"{path}:{number}: {text}")
    print(f"layering: {len(files)} files, {len(breaches)} breaches")
    if len(files) < 20:
        print("layering: too few files were found; is this the project's root?")
        return 1
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())

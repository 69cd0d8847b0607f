#ifndef SUREFOOT_MANIFEST_VERSION_H
#define SUREFOOT_MANIFEST_VERSION_H

/* version.h: which of two versions is the newer. One to four numeric parts, then a pre-release and
 * build metadata as Semantic Versioning 2.0.0 has them:
 *
 *   2.1   2.1.16.0   1.0.0-rc.1   1.0.0+build.7   1.0.0-rc.1+build.7
 *
 * Order: the numeric parts; a part that is not written is 0, so 2.1 = 2.1.0 = 2.1.0.0. Then the
 * pre-release by section 11: one with a pre-release comes before the one without; identifiers from
 * left to right, numbers (of any length) by value, numbers before words, words by their bytes, and
 * more identifiers after fewer. Build metadata is ignored.
 *
 * Leading zeros of a numeric part are accepted and mean nothing (1.02 = 1.2): product versions of
 * Windows Installer packages are written so. In a pre-release they are refused, as Semantic
 * Versioning has it. A leading "v", spaces, signs, empty parts and a fifth part are refused.
 *
 * What it does not check: the narrower limits of others, such as Windows Installer's 255.255.65535.
 */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

#define VERSION_TEXT_MAX 64 /* bytes */
#define VERSION_PARTS_MAX 4

/* struct version: a plain value, copied. A zeroed one has an empty text and is as new as "0". */
struct version {
    uint32_t parts[VERSION_PARTS_MAX]; /* those not written are 0 */
    uint8_t n_parts;                   /* as written, 1..4 */
    uint8_t pre_at, pre_len;           /* the pre-release in `text`, without its "-"; 0, 0: none */
    char text[VERSION_TEXT_MAX + 1];   /* as written: ASCII, safe to show, ends with NUL */
};

/* struct version_pattern: one version, or all that begin with the parts of `start`. */
struct version_pattern {
    struct version start;
    bool is_open; /* "1.4.*" */
};

/* version_read reads one version, the whole of `text`. E_MALFORMED says what is wrong with it;
 * E_LIMIT for more than VERSION_TEXT_MAX bytes. */
MUST_USE enum errc version_read(struct span text, struct version *out, struct err *err);

/* version_compare is below, at or above 0 where `a` is older than, as new as or newer than `b`. */
int version_compare(const struct version *a, const struct version *b);

/* version_pattern_read reads a version, or one to three numeric parts and ".*". Errors as
 * version_read's. */
MUST_USE enum errc version_pattern_read(struct span text, struct version_pattern *out,
                                        struct err *err);

/* version_matches is true where `v` is as new as the pattern's version; for an open pattern, where
 * v's first parts are the pattern's, pre-releases included: "1.4.*" has 1.4, 1.4.2.7 and
 * 1.4.0-rc.1; "1.0.*" has 1. */
bool version_matches(const struct version_pattern *pattern, const struct version *v);

#endif

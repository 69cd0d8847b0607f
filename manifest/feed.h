#ifndef SUREFOOT_MANIFEST_FEED_H
#define SUREFOOT_MANIFEST_FEED_H

/* feed.h: what a maker offers (urn:surefoot:feed:1, feed.rng): a small document, fetched often,
 * signed as exact bytes.
 *
 *   <feed xmlns="urn:surefoot:feed:1" product="orchard" channel="stable" serial="42"
 *         issued="2026-11-25T00:00:00Z" expires="2026-12-25T00:00:00Z">
 *     <release version="2.1.0" status="auto" severity="important">
 *       <document path="2.1.0/release.xml" size="1234" sha256="..."/>
 *       <rollout start="2026-11-26T00:00:00Z" percent="10" step="PT24H"/>
 *       <eligible os="linux windows" arch="x86_64"/>
 *       <from lowest="1.4" below="2.1"/>
 *       <skip version="1.9.3"/>
 *       <install-by time="2026-12-24T00:00:00Z"/>
 *     </release>
 *     <support version="1.*" ends="2027-01-01T00:00:00Z" notice="P30D"/>
 *   </feed>
 *
 * What it does not check: who signed it, whether it is fresh (verify/fresh.h), and whether what it
 * names exists. */

#include <stdint.h>

#include "manifest/arena.h"
#include "manifest/schema.h"
#include "manifest/version.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define FEED_NS "urn:surefoot:feed:1"
#define FEED_BYTES_MAX (1024 * 1024)
#define FEED_LIFE_MAX_S (INT64_C(366) * 86400) /* from issued to expires */

/* Bits of a set of systems, also places in the lists of words. An empty set means any. */
enum target_os { OS_LINUX, OS_WINDOWS, OS_MACOS, OS_FREEBSD };
enum target_arch {
    ARCH_X86_64,
    ARCH_AARCH64,
    ARCH_X86,
    ARCH_ARMV7,
    ARCH_RISCV64,
    ARCH_PPC64LE,
    ARCH_S390X
};
extern const char *const target_os_words[], *const target_arch_words[];

enum release_status {
    STATUS_AUTO,      /* `run` takes it */
    STATUS_DOWNLOAD,  /* only `upgrade` does */
    STATUS_WITHDRAWN, /* nobody does */
};
enum severity { SEVERITY_LOW, SEVERITY_MODERATE, SEVERITY_IMPORTANT, SEVERITY_CRITICAL };
extern const char *const release_status_words[], *const severity_words[];

/* document_ref names another document by all of its bytes. */
struct document_ref {
    const char *path; /* relative to the feed */
    uint64_t size;    /* bytes */
    uint8_t sha256[32];
};

/* feed_rollout: from `start` on `percent` of all machines, and as many more after every `step_s`.
 * Without a rollout (percent 0) all at once. */
struct feed_rollout {
    int64_t start;
    uint64_t percent; /* 1..100 */
    int64_t step_s;   /* 0: it stays at that */
};

/* version_range: lowest <= v < below; an end that is not said (has_ false) is open. */
struct version_range {
    bool has_lowest, has_below;
    struct version lowest, below;
};

struct feed_skip {
    struct version_pattern version;
};

struct feed_release {
    struct version version;
    int status;   /* enum release_status */
    int severity; /* enum severity; low where nothing is said */
    struct document_ref document;
    struct feed_rollout rollout;
    uint32_t os, arch;                  /* bits 1 << enum target_os, target_arch */
    LIST_OF(struct version_range) from; /* installed versions it is for: any of these; none: all */
    LIST_OF(struct feed_skip) skip;     /* installed versions it is not for */
    int64_t install_by;                 /* 0: no deadline */
};

struct feed_support {
    struct version_pattern version;
    int64_t ends;
    int64_t notice_s; /* how long before it is warned of */
};

struct feed {
    const char *product, *channel;
    uint64_t serial; /* at least 1 */
    int64_t issued, expires;
    LIST_OF(struct feed_release) releases; /* each version once */
    LIST_OF(struct feed_support) supports; /* each pattern once; others may overlap */
    struct arena arena;
};

/* feed_read_unverified reads a document that nobody has proven: for publishers' drafts and for
 * `inspect`. Everybody else gets a feed from verify/feed_proof.h. Caller frees with feed_fini. */
MUST_USE enum errc feed_read_unverified(struct span bytes, struct feed *out, struct err *err);
void feed_fini(struct feed *feed);

/* feed_find_release is the release of this version, NULL where there is none. */
const struct feed_release *feed_find_release(const struct feed *feed, const struct version *v);

/* feed_release_is_for: may a machine that has `installed` take this release? NULL: nothing
 * installed. */
bool feed_release_is_for(const struct feed_release *r, const struct version *installed);

/* feed_rollout_percent is how many percent of machines a release is for at `now`: 0..100. */
unsigned feed_rollout_percent(const struct feed_rollout *r, int64_t now);

#endif

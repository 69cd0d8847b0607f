#ifndef SUREFOOT_PUBLISH_GATE_H
#define SUREFOOT_PUBLISH_GATE_H

/* gate.h: what stands before a release goes out: everything that a client will check, and what only
 * a maker can still mend, all findings at once. gate_check decides the order; gate_feed,
 * gate_release and gate_msi look at one thing each. Nothing is installed, unpacked to disk or
 * changed. */

#include <stdbool.h>
#include <stdint.h>

#include "installer/core/product_demands.h"
#include "manifest/feed.h"
#include "platform/base/buf.h"
#include "platform/platform.h"
#include "verify/msi_package.h"
#include "verify/package.h"

enum gate_level {
    GATE_NOTE = 0, /* worth knowing */
    GATE_WARNING,  /* passes, and will surprise somebody */
    GATE_REFUSED,  /* a client would refuse it, or an upgrade with it could fail for good */
    GATE_FAILED,   /* could not be found out */
};

/* gate_finding: `code` is a reason's word (verify/verdict.h) or one of this gate's own: Missing,
 * Changed, NothingToJudgeBy, SerialNotNewer, VersionMismatch, MsiNeitherVersion, MsiSequence,
 * MsiUpgradeTable, MsiVersion, MsiExternalMedia, ... */
struct gate_finding {
    enum gate_level level;
    const char *code; /* a literal */
    char where[160];  /* a path in the folder, as text */
    char text[240];
};

#define GATE_FINDINGS_MAX 1000

struct gate {
    size_t n, n_room;
    struct gate_finding *items; /* owned */
    bool is_full;               /* memory ran out, and something is not here: GATE_FAILED */
    size_t n_cut;               /* so many more were found than there is room for */
    enum gate_level worst_cut;  /* of those */
    size_t n_payloads, n_files; /* that were checked */
    uint64_t n_bytes;
};

void gate_fini(struct gate *g);

/* gate_add keeps one finding; the same one twice is kept once. Where memory or room runs out the
 * gate is_full, so nothing that was found is lost silently. */
void gate_add(struct gate *g, enum gate_level level, const char *code, const char *where,
              const char *fmt, ...) PRINTF_FORMAT(5, 6);

/* gate_add_err keeps an error: what is wrong with bytes is GATE_REFUSED Malformed, the rest
 * GATE_FAILED. */
void gate_add_err(struct gate *g, const char *where, const struct err *err);

/* gate_add_verdict keeps every fatal reason of a verdict, its signatures' included. */
void gate_add_verdict(struct gate *g, const char *where, const struct verdict *v);

/* gate_worst is the highest level that was found. */
enum gate_level gate_worst(const struct gate *g);

struct gate_ask {
    struct platform *platform;
    const char *folder;                        /* of the release: feed.xml and what it names */
    const struct policy *policy;               /* of payloads: keys, anchors, publishers, now */
    const struct policy *const *feed_policies; /* of the feed (verify/package.h) */
    size_t n_feed_policies;
    /* The product file's, for the one kind of payload that it takes; none: each payload's own
     * demands. */
    const struct payload_floor *floors;
    size_t n_floors;
    const struct product_demands *demands; /* whose policies and floors those are; NULL: nobody's */
    enum payload_kind kind;
    const char *upgrade_code;      /* of a product file's MSI; NULL: any */
    const char *product, *channel; /* NULL: as the feed says */
    const char *published;         /* the feed that is out now; NULL: none */
    const struct version *only;    /* check this version alone; NULL: all */
    /* Progress: bytes of payloads read so far. May be NULL. */
    void (*progress)(void *ctx, uint64_t n_bytes);
    void *progress_ctx;
};

/* gate_check fills a zeroed gate. It fails only where memory runs out; all else is a finding. */
MUST_USE enum errc gate_check(const struct gate_ask *ask, struct gate *g, struct err *err);

/* gate_msi holds a package's tables against its payload's words, and against what a major upgrade
 * needs so that a failed one leaves a version behind. */
void gate_msi(const struct msi_package *p, const struct payload *payload, const char *where,
              struct gate *g);

#endif

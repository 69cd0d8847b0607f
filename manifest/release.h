#ifndef SUREFOOT_MANIFEST_RELEASE_H
#define SUREFOOT_MANIFEST_RELEASE_H

/* release.h: what one release is made of (urn:surefoot:release:1, release.rng). Immutable; a feed
 * names it by all of its bytes.
 *
 *   <release xmlns="urn:surefoot:release:1" product="orchard" version="2.1.0"
 *            created="2026-11-25T00:00:00Z">
 *     <payload kind="archive" os="linux" arch="x86_64" path="orchard-2.1.0-linux.tar.zst"
 *              size="123456" sha256="..." unpacked-size="456789">
 *       <mirror>https://mirror.example.org/orchard-2.1.0-linux.tar.zst</mirror>
 *       <demand system="minisign"/>
 *       <folder path="logs" mode="755"/>
 *       <file path="bin/orchard" size="4096" sha256="..." mode="755"/>
 *       <link path="lib/liborchard.so" to="liborchard.so.2"/>
 *     </payload>
 *     <payload kind="msi" os="windows" arch="x86_64" path="orchard-2.1.0.msi" size="..."
 *              sha256="..." unpacked-size="..." upgrade-code="{...}" product-code="{...}"
 *              product-version="2.1.0">
 *       <demand system="authenticode" publisher="Orchard Works" timestamp="true"/>
 *     </payload>
 *   </release>
 *
 * What it does not check: who made it (verify/package.h), and whether the payloads are so. */

#include <stdint.h>

#include "manifest/arena.h"
#include "manifest/feed.h"
#include "manifest/schema.h"
#include "manifest/version.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define RELEASE_NS "urn:surefoot:release:1"
#define RELEASE_BYTES_MAX (64 * 1024 * 1024)
#define RELEASE_FILES_MAX 500000 /* of one payload: files, folders and links together */
#define RELEASE_PAYLOADS_MAX 32

enum payload_kind { PAYLOAD_ARCHIVE, PAYLOAD_MSI };
enum demand_system { DEMAND_AUTHENTICODE, DEMAND_CMS, DEMAND_MINISIGN };
extern const char *const payload_kind_words[], *const demand_system_words[];

/* payload_demand: a signature that the payload must carry, or that must lie beside it. */
struct payload_demand {
    int system;            /* enum demand_system; each at most once in a payload */
    const char *publisher; /* NULL: any that the product's own file admits */
    bool needs_timestamp;
};

struct payload_mirror {
    const char *url; /* of the payload itself */
};

struct release_file {
    const char *path;
    uint64_t size; /* bytes */
    uint8_t sha256[32];
    uint32_t mode;
};

/* Modes give nobody but the owner the right to write. Folders that hold files need not be listed;
 * those that do not stand here have mode 755. */
struct release_folder {
    const char *path;
    uint32_t mode;
};

struct release_link {
    const char *path, *to; /* path_check_link */
};

struct payload {
    int kind;          /* enum payload_kind */
    uint32_t os, arch; /* one bit of each, or 0: any (feed.h) */
    const char *path;  /* relative to the release document */
    uint64_t size;     /* bytes, at least 1 */
    uint8_t sha256[32];
    uint64_t unpacked_size; /* of an archive: exactly its files' sum; of an MSI: what it takes */
    LIST_OF(struct payload_mirror) mirrors;
    LIST_OF(struct payload_demand) demands;
    /* An archive's tree, exactly this. Sorted as in the document: bytewise by path in each list. */
    LIST_OF(struct release_file) files;
    LIST_OF(struct release_folder) folders;
    LIST_OF(struct release_link) links;
    /* An MSI's own words; all three stand there. NULL and a zeroed version for an archive. */
    const char *upgrade_code, *product_code;
    struct version product_version;
};

struct release {
    const char *product;
    struct version version;
    int64_t created;
    LIST_OF(struct payload) payloads; /* no two for the same os, arch and kind */
    struct arena arena;
};

/* release_read_unverified reads a document that nobody has proven: for publishers' drafts and for
 * `inspect`. Everybody else gets a release from verify/package.h. Checked beyond the table: lists
 * sorted, the tree's paths side by side on every file system (path_set_check), links inside it,
 * sums. Caller frees with release_fini. */
MUST_USE enum errc release_read_unverified(struct span bytes, struct release *out, struct err *err);
void release_fini(struct release *release);

/* payload_find_file and payload_find_folder are what the payload lists at exactly this path, NULL
 * where it lists none. payload_holds is true where it lists something below the path, and
 * payload_lists where it lists the path itself, as a file, folder or link, or something below it.
 */
const struct release_file *payload_find_file(const struct payload *p, struct span path);
const struct release_link *payload_find_link(const struct payload *p, struct span path);
const struct release_folder *payload_find_folder(const struct payload *p, struct span path);
bool payload_holds(const struct payload *p, struct span path);
bool payload_lists(const struct payload *p, struct span path);

/* release_find_payload is the payload for this system, the more exact one where two would do; NULL
 * where there is none. */
const struct payload *release_find_payload(const struct release *r, enum target_os os,
                                           enum target_arch arch, enum payload_kind kind);

#endif

#ifndef SUREFOOT_PUBLISH_RELEASE_MAKE_H
#define SUREFOOT_PUBLISH_RELEASE_MAKE_H

/* release_make.h: one payload and the release document that lists it, put into a release folder:
 *
 *   DIR/V/NAME-V-OS-ARCH.tar.zst            a folder, packed; or DIR/V/FILE, as it was given
 *   DIR/V/NAME-V-OS-ARCH.tar.zst.minisig    where it is signed here (.p7s likewise)
 *   DIR/V/release.xml                       last of all
 *
 * DIR/V is made, and DIR where only that is missing. All or nothing: where something fails, what
 * this run has put there is taken away, and an older release.xml and older signatures are as they
 * were. Nothing that is there is replaced but release.xml, which no feed names yet, and what reads
 * as a signature in the place of one. A release that a feed names is never changed.
 *
 * What is never published: DIR itself, and the files that the signers' options name (by what they
 * are, whatever they are called in the folder). Nor is a file that reads as a secret key
 * (signers_find_secret), in the folder or in the archive, unless that is meant.
 *
 * What it does not check: that the payload does what it should; and signatures that others made
 * (surefoot-publish verify-release does). */

#include "keys/publish/signers.h"
#include "keys/publish/tree.h"
#include "manifest/release.h"

#define RELEASE_MAKE_MIRRORS_MAX 16
#define RELEASE_MAKE_PATH_ROOM 4096

struct release_ask {
    struct platform *platform;
    const char *source, *dir, *product;
    struct version version;
    uint32_t os, arch; /* one bit, or 0: any */
    uint32_t demands;  /* bits 1 << enum demand_system; 0: what the payload and signers call for */
    const char *publisher; /* NULL: none */
    bool needs_timestamp;
    const char *mirrors[RELEASE_MAKE_MIRRORS_MAX];
    size_t n_mirrors;
    int64_t created; /* seconds since 1970 */
    int level;       /* of zstd */
    bool is_addition;
    bool allows_keys; /* the product really has secret keys in it */
    struct signers *signers;
    tree_progress_fn progress; /* may be NULL */
    void *packing_ctx;
};

/* What was made. Paths as they are on the disk. */
struct release_made {
    enum payload_kind kind;
    char payload[RELEASE_MAKE_PATH_ROOM], document[RELEASE_MAKE_PATH_ROOM];
    uint64_t size; /* bytes of the payload */
    uint8_t sha256[32], document_sha256[32];
    uint64_t document_size;
    size_t n_files;
    bool was_there;     /* the payload lay in its place with the same bytes */
    bool other_version; /* an MSI's own version is another one than the release's */
    struct version product_version;
};

/* release_make does it. E_ARGUMENT for what makes no sense together, a folder or archive without
 * files, one that holds what is never published, and a payload with a name that others have;
 * E_EXISTS for a release that a feed names, a document that has this payload or (without
 * is_addition) others, a file in the place of the payload that has other bytes, and one in the
 * place of its signature that is none; E_REFUSED for what clients would refuse, an installer
 * package that its demand could not be met by (unsigned, or altered since), and secret keys; and
 * what reading, packing, signing and writing fail with. */
MUST_USE enum errc release_make(const struct release_ask *ask, struct release_made *out,
                                struct err *err);

#endif

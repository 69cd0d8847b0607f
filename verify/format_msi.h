#ifndef SUREFOOT_VERIFY_FORMAT_MSI_H
#define SUREFOOT_VERIFY_FORMAT_MSI_H

/* format_msi.h: what format_msi.c and format_msi_hash.c share.
 *
 * The children of a storage are taken in the order of their names' raw bytes (which is not the
 * tree's order); the root's two streams \005DigitalSignature and \005MsiDigitalSignatureEx are left
 * out, in the root and by exact name only.
 *
 *     content  = of each child in order: a stream's bytes, a storage's content; then the CLSID of
 *                the storage itself, the root's too
 *     metadata = of each entry, before its children: the name's bytes (not the root's), the CLSID
 *                (root, storages) or the size's lower 32 bits (streams), the state bits, the two
 *                times (not the root's)
 *     Ex       = hash of the metadata
 *     digest   = hash of Ex's bytes, if there is one, and the content */

#include "verify/cfb.h"
#include "verify/digest.h"

struct msi_layout {
    const struct cfb *cfb;
    struct source *src;
    const struct cfb_entry *signature, *ex; /* NULL where there is none */
};

/* msi_hash_content gives the digests in all the algorithms of the mask. */
MUST_USE enum errc msi_hash_content(const struct msi_layout *l, uint32_t algs,
                                    struct digest_set *out, struct err *err);

/* msi_hash_metadata gives what Ex should be under one algorithm. */
MUST_USE enum errc msi_hash_metadata(const struct msi_layout *l, enum digest_alg alg,
                                     struct digest *out, struct err *err);

#endif

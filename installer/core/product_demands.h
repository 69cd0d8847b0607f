#ifndef SUREFOOT_CORE_PRODUCT_DEMANDS_H
#define SUREFOOT_CORE_PRODUCT_DEMANDS_H

/* product_demands.h: a product file's trust as the policies that verify/package.h judges by: those
 * of the feed, any one of which will do for a signature, and the floors of a payload, which all
 * hold.
 *
 * What it does not check: to whom the files that the product file names belong. */

#include "installer/core/revocation.h"
#include "manifest/product.h"
#include "platform/platform.h"
#include "verify/package.h"

struct product_demands; /* opaque */

/* product_demands_load reads the keys, anchors and lists that the product file names, relative to
 * `base` (its folder with the "/" at the end). `product` must outlive the demands; `now` is what
 * everything is judged as of. E_ARGUMENT, naming the file, for what is the administrator's to mend.
 * Caller frees with product_demands_free. */
MUST_USE enum errc product_demands_load(struct platform *platform, const struct product *product,
                                        const char *base, int64_t now, struct product_demands **out,
                                        struct err *err);
void product_demands_free(struct product_demands *d);

/* product_demands_of_feed and product_demands_of_payload: borrowed, at least one each. */
const struct policy *const *product_demands_of_feed(const struct product_demands *d, size_t *out_n);
const struct payload_floor *product_demands_of_payload(const struct product_demands *d,
                                                       size_t *out_n);

/* Where a signer says <revocation>online, lists are to be fetched, by who can:
 *
 *   product_demands_load(..., &d, err);
 *   if (product_demands_is_online(d))
 *       product_demands_go_online(d, lists);         a struct revocation_lists; look_go_online does
 *   do                                               both
 *       rc = verified_feed_make(...);                or verified_package_make, and each time that
 *   while (rc == E_REFUSED && product_demands_again(d));  it is repeated, verdict_fini first
 *
 * Without that no list is asked for, and what needs one is refused as RevocationUnknown. What was
 * proven before and is recalled (verified_feed_recall) asks for none.
 *
 * product_demands_go_online takes `lists`; from then on one thread at a time proves by these
 * demands. product_demands_again fetches what the last proof found wanting, and is true where
 * proving again is worth it. */
bool product_demands_is_online(const struct product_demands *d);
void product_demands_go_online(struct product_demands *d, struct revocation_lists *lists);
bool product_demands_again(const struct product_demands *d);

#endif

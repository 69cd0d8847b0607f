#ifndef SUREFOOT_CORE_PRODUCT_DEMANDS_H
#define SUREFOOT_CORE_PRODUCT_DEMANDS_H

/* product_demands.h: a product file's trust as the policies that verify/package.h judges by: those
 * of the feed, any one of which will do for a signature, and the floors of a payload, which all
 * hold.
 *
 * What it does not check: to whom the files that the product file names belong. */

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

#endif

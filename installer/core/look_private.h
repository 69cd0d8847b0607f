#ifndef SUREFOOT_CORE_LOOK_PRIVATE_H
#define SUREFOOT_CORE_LOOK_PRIVATE_H

#include "installer/core/look.h"

/* look_fetch_feed fills in look->feed, stored and was_new from the feed look->from, by look->fetch.
 */
MUST_USE enum errc look_fetch_feed(const struct look_ask *ask, struct look *look, struct err *err);

/* look_recall_feed does so from what is stored of it. E_ABSENT where nothing is. */
MUST_USE enum errc look_recall_feed(const struct look_ask *ask, struct look *look, struct err *err);

/* look_note_refusal keeps the first reason's word where rc is E_REFUSED. */
void look_note_refusal(struct look *look, enum errc rc, const struct verdict *v, size_t n);

/* look_make_cache makes the cache folder where it is not there. */
MUST_USE enum errc look_make_cache(const struct look_ask *ask, struct err *err);

#endif

#ifndef SUREFOOT_CORE_MARKER_H
#define SUREFOOT_CORE_MARKER_H

/* marker.h: what tells the machine that an upgrade is under way: a file in the state folder, and
 * the value of the registry that the product file names (<marker>), if it does. The text is
 * "upgrade to VERSION since TIME".
 *
 * The file is written first and taken away last, and holds the place of the value in its second and
 * third line. So whatever happens between, it says what is to be cleared, and a product file that
 * was changed meanwhile has no say.
 *
 * A value that is there and does not begin as ours do was put there by somebody else, whose upgrade
 * it may be: it is neither replaced nor removed. */

#include "installer/core/memory.h"

/* marker_check: could it be set in the registry? Changes nothing. E_OK also where no value is
 * named. E_ACCESS: we may not; E_EXISTS, E_MALFORMED: there is somebody else's; E_UNSUPPORTED:
 * there is no registry. Errors name the key and the value. */
MUST_USE enum errc marker_check(const struct setup *setup, struct err *err);

/* marker_set sets both, or none where it fails: errors as above, and the file's. Needs the memory's
 * lock. */
MUST_USE enum errc marker_set(const struct memory *m, const struct version *to, int64_t now,
                              struct err *err);

/* marker_clear takes away what was set, by whichever run. E_OK where none is set. Where it fails
 * the file stays, for the next try. */
MUST_USE enum errc marker_clear(const struct memory *m, struct err *err);

#endif

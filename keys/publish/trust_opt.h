#ifndef SUREFOOT_PUBLISH_TRUST_OPT_H
#define SUREFOOT_PUBLISH_TRUST_OPT_H

/* trust_opt.h: the few options by which commands of surefoot-publish are told whom to trust, read
 * into a policy. Strict, all of it: a maker's own gate has no exceptions.
 *
 * What it does not load: anchors.d of this machine. What a maker proves must not depend on where it
 * is proven. */

#include "installer/cli/opt.h"
#include "installer/core/trust_files.h"
#include "platform/platform.h"
#include "verify/policy.h"

#define TRUST_OPT_PUBLISHERS_MAX 64
#define TRUST_OPT_FILES_MAX 64

struct trust_opt_file {
    const char *option, *path;
    enum trust_file what;
};

struct trust_opt {
    struct platform *platform;
    struct policy policy; /* points into this struct: do not copy it */
    struct trust *trust;
    size_t n_files;
    struct trust_opt_file files[TRUST_OPT_FILES_MAX];
    const char *publishers[TRUST_OPT_PUBLISHERS_MAX];
    bool has_at;
};

/* --key, --anchors, --timestamp-anchors, --publisher and --at. */
extern const struct opt_spec trust_opt_specs[];
extern const size_t trust_opt_n_specs;

MUST_USE enum errc trust_opt_init(struct trust_opt *t, struct platform *platform, struct err *err);
void trust_opt_fini(struct trust_opt *t);

/* trust_opt_take takes one of the options above (and "trusted-key", which is --key where that means
 * the signer's), and says in *out_taken whether it was one. No file is opened. The value is
 * borrowed as long as the struct lives. */
MUST_USE enum errc trust_opt_take(struct trust_opt *t, const char *name, const char *value,
                                  bool *out_taken, struct err *err);

/* trust_opt_is_given: is there any key or anchor? trust_opt_check is E_ARGUMENT where nothing could
 * be accepted by what was given. */
bool trust_opt_is_given(const struct trust_opt *t);
MUST_USE enum errc trust_opt_check(const struct trust_opt *t, struct err *err);

/* trust_opt_load reads the files and fixes the time to judge by: the policy may be used from then
 * on. A file that is missing or does not read is E_ARGUMENT. */
MUST_USE enum errc trust_opt_load(struct trust_opt *t, struct err *err);

#endif

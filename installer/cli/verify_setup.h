#ifndef SUREFOOT_CLI_VERIFY_SETUP_H
#define SUREFOOT_CLI_VERIFY_SETUP_H

/* verify_setup.h: from the words of a person (options, or a policy document) to a policy with its
 * certificates, lists, keys and catalog loaded. */

#include "installer/cli/cli.h"
#include "installer/cli/opt.h"
#include "installer/core/revocation.h"
#include "verify/catalog.h"
#include "verify/policy.h"

#define SETUP_LIST_MAX 64
#define SETUP_SIGNATURES_MAX 8 /* BESIDE_MAX of beside.h is the same */

struct verify_setup {
    struct platform *platform;
    struct policy policy; /* points into this struct: do not copy it after verify_setup_finish */
    struct trust *trust;
    struct revocation_lists *revocation; /* of --revocation online, else NULL */
    struct catalog *catalog;
    const char *publishers[SETUP_LIST_MAX];
    struct pin pins[SETUP_LIST_MAX];
    const char *signatures[SETUP_SIGNATURES_MAX]; /* --signature, paths */
    size_t n_signatures;
    const char *catalog_path; /* owned copy where a policy document named it */
    char *owned[256];         /* texts that outlive a policy document */
    size_t n_owned;
    bool has_anchors, has_at, has_revocation;
    bool blames_file; /* what failed is a file that was named, or what is in it */
    const char *base; /* folder that a policy document's paths are relative to; NULL: as they are */
};

/* The options that verify_setup_option understands, for opt_read tables and help texts. */
extern const struct opt_spec verify_setup_specs[];
extern const size_t verify_setup_n_specs;

MUST_USE enum errc verify_setup_init(struct verify_setup *s, struct platform *platform,
                                     struct err *err);
void verify_setup_fini(struct verify_setup *s);

/* verify_setup_option applies one option. E_ARGUMENT for what it does not take, E_ABSENT for a name
 * that is no option of its own. `value` must live as long as the setup. */
MUST_USE enum errc verify_setup_option(struct verify_setup *s, const char *name, const char *value,
                                       struct err *err);

/* verify_setup_finish loads default anchors where none were named, and the catalog, and says what
 * is not usable. For a catalog and --revocation online it may ask for lists. */
MUST_USE enum errc verify_setup_finish(struct verify_setup *s, struct err *err);

#endif

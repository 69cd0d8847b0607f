#ifndef SUREFOOT_CORE_UPGRADE_PRIVATE_H
#define SUREFOOT_CORE_UPGRADE_PRIVATE_H

/* upgrade_private.h: what the pieces of an upgrade share: upgrade.c has the order of work. */

#include "installer/core/look.h"
#include "installer/core/msi_switch.h"
#include "installer/core/settle.h"
#include "installer/core/upgrade.h"

/* What is installed, as far as we know it. */
struct installed {
    bool is_there;                 /* a tree is in place */
    char tree[SETUP_PATH_ROOM];    /* where; "" of an MSI */
    size_t n_related;              /* of an MSI: products with its upgrade code, */
    struct msi_related msi;        /* and the first of them */
    bool is_known;                 /* we put it there, or adopted it */
    struct release release;        /* what it came from; read from our own store, for names alone */
    const struct payload *payload; /* NULL: not known */
    char pristine[SETUP_PATH_ROOM]; /* "" where there is none */
};

struct upgrade {
    const struct upgrade_ask *ask;
    const struct setup *setup;
    struct upgrade_outcome *out;
    struct memory memory;
    bool has_memory;
    int64_t now;
    struct product_demands *demands;
    struct look look;
    struct look_ask look_ask;
    enum target_os os; /* what payloads must be for */
    enum target_arch arch;
    struct decided decided;
    struct place place;
    bool has_place;
    struct installed installed;
    bool has_old_package; /* of an MSI */
    struct survey *survey;
    struct buf document; /* the release document's bytes */
    struct verified_release *release;
    const struct payload *payload;
    struct verified_package *package;
    char payload_path[SETUP_PATH_ROOM]; /* "" where none was fetched */
    struct run run;
    bool is_settled; /* the attempt is recorded */
};

/* upgrade_command is what the history calls it: enum attempt_command. upgrade_preflight_ask is what
 * both looks at the machine have in common. */
int upgrade_command(const struct upgrade *u);
struct preflight_ask upgrade_preflight_ask(const struct upgrade *u, uint32_t phases);

/* upgrade_settle_ask is what is recorded of an attempt whose outcome has its end. */
struct settle_ask upgrade_settle_ask(struct upgrade *u);

/* outcome_end_of_fetch says how a fetch that failed ends all of it: what is not what was signed is
 * refused by `word`; what is the network's or a server's may pass. Our own failures it leaves. */
void outcome_end_of_fetch(struct upgrade_outcome *out, enum errc rc, const char *word,
                          const struct err *err);

/* --- upgrade_installed.c */
MUST_USE enum errc installed_find(const struct place *place, const struct memory *memory,
                                  enum target_os os, enum target_arch arch, struct installed *out,
                                  struct err *err);
void installed_fini(struct installed *i);
/* installed_is: is the MSI that is installed this one? */
bool installed_is(const struct installed *i, const struct payload *msi);
/* upgrade_target is the system that payloads must be for. */
MUST_USE enum errc upgrade_target(const struct setup *setup, enum target_os *os,
                                  enum target_arch *arch, struct err *err);

/* --- upgrade_msi.c: what is different where Windows Installer has the files */
MUST_USE enum errc upgrade_msi_is_there(const struct setup *setup, bool *out, struct err *err);
/* Whatever version somebody else installed meanwhile is the one that counts. */
MUST_USE enum errc upgrade_msi_notice(struct upgrade *u, struct err *err);
/* The proven package must be what the release document says, for our product, and hold all of its
 * own files. E_REFUSED: the outcome says why. */
MUST_USE enum errc upgrade_msi_check(struct upgrade *u, struct err *err);
/* Is there a package of what is installed, ours or Windows Installer's? */
MUST_USE enum errc upgrade_msi_find_old(const struct upgrade *u, bool *out_there, struct err *err);
/* The new package and the old one are held, before anything is stopped. */
MUST_USE enum errc upgrade_msi_prepare(struct upgrade *u, struct err *err);

/* --- upgrade_download.c: from the verified release to the verified package. E_REFUSED: the outcome
 * says why. */
MUST_USE enum errc upgrade_download(struct upgrade *u, struct err *err);
/* upgrade_payload_name is the file in the store that a payload comes to. */
#define UPGRADE_PAYLOAD_ROOM 48
void upgrade_payload_name(const struct payload *payload, const char *suffix,
                          char to[UPGRADE_PAYLOAD_ROOM]);

/* --- upgrade_apply.c: a run with names for its trees; then stage, prepare, run. Ends with an
 * outcome. */
MUST_USE enum errc upgrade_begin_run(struct upgrade *u, struct err *err);
MUST_USE enum errc upgrade_apply(struct upgrade *u, struct err *err);
/* upgrade_keep_proof stores what a tree was proven by, under its name. */
MUST_USE enum errc upgrade_keep_proof(struct upgrade *u, const char *tree, struct err *err);

/* --- upgrade_adopt.c: a tree that is already there and is a release of the feed is taken over as
 * it is. *out_adopted says whether. */
MUST_USE enum errc upgrade_adopt(struct upgrade *u, bool *out_adopted, struct err *err);

#endif

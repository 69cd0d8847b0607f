#ifndef SUREFOOT_TESTS_SIM_H
#define SUREFOOT_TESTS_SIM_H

/* sim.h: the simulator. A scenario (an XML file) is a product, what stands on the machine, and one
 * step that is explored: an upgrade, a rollback. Explored means: the step is taken once to see
 * every operation that it does; then the machine stops before each of them, with every kind of
 * loss, and each operation fails in turn. After each, `recover` must leave the old or the new
 * version: whole, running, and known as such; nothing left over; and the step can be taken again.
 *
 *   scenario.c   reads the file                 check.c     what must hold afterwards
 *   world.c      the machine and the product    crash.c     the machine stops at each operation
 *   tell.c       a scenario, told                fault.c     each operation fails
 *   trace.c      the same on the real system     lie.c       each flush lies, which must be found
 * out
 *
 * All end the program where something of the simulator's own is wrong. */

#include <stdbool.h>
#include <stdint.h>

#include "installer/core/upgrade.h"
#include "platform/mock/mock.h"

/* ---------------------------------------------------------------------------------- scenarios */

enum deed { DO_INSTALL, DO_UPGRADE, DO_RUN, DO_ROLLBACK, DO_RECOVER, DO_PUT, DO_BOOT };

struct deed_of {
    enum deed deed;
    char *to;          /* version, or NULL */
    char *result;      /* that it must give; NULL: any */
    char *path, *text; /* of DO_PUT; "@TREE@" in the path is the tree in place */
    bool is_base;      /* what stands after it is the old version, in the end */
};

/* How Windows Installer fares with the package of a version. */
struct package_of {
    char *version;
    enum mock_install install, remove;
};

struct scenario {
    char *name; /* of the file, without ".xml" */
    char *about;
    struct buf product; /* the product file; "@ROOT@" in it is the machine's root, "@SITE@" where
                           the releases lie */
    struct deed_of before[8], explored,
        then[4]; /* then: what the new version must still be good for */
    size_t n_before, n_then;
    struct package_of packages[4];
    size_t n_packages;
    char *releases;          /* a folder of releases.sh; NULL: its own */
    bool is_windows, is_msi; /* the machine's system; what the releases are */
    bool ends_new;           /* without a fault the explored step leaves the new version */
};

void scenario_read(const char *path, struct scenario *out);
void scenario_fini(struct scenario *s);

/* -------------------------------------------------------------------------------------- world */

struct world {
    const struct scenario *scenario;
    struct mock *mock;         /* NULL: the real system */
    struct platform *platform; /* what our code is given: the mock, wrapped or not, or the system */
    char root[200];            /* "" on the mock */
    char site[220];            /* what the file URLs of the releases have as path */
    char running[32];          /* the version that the service runs; "": none */
    char data[200];            /* the product's data, as its program was told */
    bool saw_mixed;            /* a service began on a tree of two versions */
    struct buf trace;          /* one line an event: identifier, result, versions */
    char said[400];            /* by the last step, of how it ended */
    int exit_code;             /* that the command of the last step ends with; -1: it is none */
    bool no_rollback;          /* --no-rollback */
    char *base;                /* picture of the old version, where a step before says so */
    char base_version[32];     /* that runs then */
};

/* world_new is a machine with the releases of a folder (releases.sh) and the scenario's product,
 * and nothing installed. `root` NULL: on a mock. */
void world_new(struct world *w, const struct scenario *s, const char *releases, const char *root);
void world_fini(struct world *w);

/* world_do takes a step through the same functions as the command line. The result is "" where
 * nothing was to be done; "error: ..." where the function itself failed. */
void world_do(struct world *w, const struct deed_of *deed, char result[RUN_RESULT_ROOM]);
/* world_prepare takes the steps before the explored one. */
void world_prepare(struct world *w);
/* world_boot is what the system does after it was started: the product's service, once recover ran.
 */
void world_boot(struct world *w);

/* world_load copies a folder of the real disk to the machine. */
void world_load(struct world *w, const char *from, const char *to);
/* world_clock is a time at which the releases of a folder are new. */
int64_t world_clock(const char *releases);

void world_path(const struct world *w, const char *path, char to[400]);
/* world_tree is the tree in place: the install folder, or what `current` leads to. */
void world_tree(const struct world *w, char to[400]);

/* world_tell takes all steps of a scenario on a machine of its own (`root` as world_new has it),
 * and says them: a line for each event, for the result of each step, for each file that is there in
 * the end. Caller frees. */
char *world_tell(const struct scenario *s, const char *releases, const char *root);

/* A picture is all that is in the tree in place and in the product's data: names, modes, bytes. */
char *world_picture(struct world *w);

/* -------------------------------------------------------------------------------------- check */

/* What an explored step may leave. */
struct ends {
    char *before, *after; /* pictures; `after` NULL: only the old is right */
    char before_version[32], after_version[32];
};

/* check_after finds whatever does not hold after a fault, a `recover` that gave `result`, and a
 * start of the machine; *out_is_new which version is there. False with a sentence in `why`. */
bool check_after(struct world *w, const struct ends *ends, bool *out_is_new, char why[300]);

/* check_again: recover has nothing to do; the explored step can be taken, or is done, and the steps
 * after it as well. */
bool check_again(struct world *w, const struct ends *ends, bool is_new, char why[300]);

/* ---------------------------------------------------------------------------- what is counted */

struct tally {
    uint64_t n_states; /* crashes, each with its own loss */
    uint64_t n_second; /* of these, in a recovery */
    uint64_t n_faults; /* operations that failed */
    uint64_t n_lies;   /* that were passed over in silence, */
    uint64_t n_caught; /* and were found out */
    uint64_t n_traces; /* scenarios that the real system tells in the same way */
    uint64_t n_violations;
    uint64_t n_found;   /* violations where they are looked for (sim_is_hunting) */
    uint64_t n_counted; /* operations that a copy of the process counted */
};
extern struct tally *tally; /* shared by all processes */
extern bool sim_is_hunting; /* what does not hold is what we want to see */

/* How thorough: every operation is always met; these say with how many kinds of loss, and how often
 * the recovery is interrupted too. */
struct sim_effort {
    unsigned n_random;  /* random losses at each operation */
    bool each_alone;    /* lose each pending change alone, not one of them */
    unsigned nth_again; /* interrupt the recovery of every nth crash */
    unsigned n_jobs;
};

void crash_explore(struct world *w, const struct ends *ends, const struct sim_effort *effort);
/* crash_at stops a copy of the machine here, before a step, and looks what comes of it. */
void crash_at(struct world *w, const struct ends *ends, const struct sim_effort *effort,
              const struct fault_step *step, uint64_t n, bool is_power, enum disk_loss_how how);
void fault_explore(struct world *w, const struct ends *ends, const struct sim_effort *effort);
void lie_explore(struct world *w, const struct ends *ends, const struct sim_effort *effort);

/* trace_compare is false, and says where, if the real system and the mock do not tell the same. */
bool trace_compare(const struct scenario *s, const char *releases);

/* sim_report says what does not hold, once for each process. */
void sim_report(const struct world *w, const char *where, const char *why);
/* sim_job runs `fn` in a copy of this process, n_jobs side by side; sim_jobs_end waits for all. */
void sim_job(unsigned n_jobs, void (*fn)(void *ctx), void *ctx);
void sim_jobs_end(void);
void sim_fail(const char *fmt, ...) PRINTF_FORMAT(1, 2);

#endif

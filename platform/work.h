#ifndef SUREFOOT_PLATFORM_WORK_H
#define SUREFOOT_PLATFORM_WORK_H

/* work.h: the same piece of work for many numbers, side by side on all cores. */

#include <stddef.h>

/* work_fn does piece number `i`. It reports through ctx; it must not touch what another piece
 * touches. */
typedef void (*work_fn)(void *ctx, size_t i);

/* work_run calls fn(ctx, 0..n-1), each once, in no fixed order, on at most as many threads as there
 * are cores, and returns when all are done. It never fails: where no thread can be made, the
 * caller's own does everything. Called from inside a piece, it runs in that piece's thread alone.
 */
void work_run(size_t n, work_fn fn, void *ctx);

/* work_run_ordered is the same, and calls done(ctx, 0), done(ctx, 1), ... in this order, never two
 * at once, each as soon as its own piece and all before it are done. For results that are shown in
 * order while later ones are still made. */
void work_run_ordered(size_t n, work_fn fn, work_fn done, void *ctx);

/* work_n_cores is how many pieces can run at once, at least 1. */
size_t work_n_cores(void);

/* A lock for what pieces share after all. work_lock_new gives NULL where none can be made; freed
 * with work_lock_free. */
struct work_lock;
struct work_lock *work_lock_new(void);
void work_lock_take(struct work_lock *l);
void work_lock_give(struct work_lock *l);
void work_lock_free(struct work_lock *l);

#endif

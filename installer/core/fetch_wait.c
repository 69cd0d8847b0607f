#include "installer/core/fetch_private.h"

#include <inttypes.h>

#include "platform/base/num.h"

#define SLICE_MS 200 /* between two calls of the progress function */

static int64_t clock_ms(const struct fetch *f)
{
    const struct platform *p = f->settings.platform;
    return p->host->monotonic_ms(p->self);
}

void fetch_wait_begin(struct fetch *f)
{
    f->started_ms = clock_ms(f);
    f->due_ms = f->started_ms;
    f->got = 0;
    f->total = 0;
}

int64_t fetch_wait_left_ms(const struct fetch *f)
{
    int64_t left = f->settings.deadline_s * 1000 - (clock_ms(f) - f->started_ms);
    return left > 0 ? left : 0;
}

bool fetch_wait_may_pass(enum errc code)
{
    return code == E_IO || code == E_TIMEOUT;
}

enum errc fetch_tell(struct fetch *f, struct err *err)
{
    const struct fetch_settings *s = &f->settings;
    return s->progress == NULL ? E_OK : s->progress(s->ctx, f->got, f->total, err);
}

/* next_chance is SplitMix64: good enough to spread machines, and no secret. */
static uint64_t next_chance(struct fetch *f)
{
    uint64_t z = f->chance += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* backoff_ms doubles for each try; half of it is by chance. */
static int64_t backoff_ms(struct fetch *f, unsigned n)
{
    uint64_t ms = f->settings.backoff_ms;
    for (unsigned i = 1; i < n && ms < FETCH_WAIT_MAX_MS; i++)
        ms *= 2;
    ms = num_min(ms, FETCH_WAIT_MAX_MS);
    return (int64_t)(ms / 2 + next_chance(f) % (ms / 2 + 1));
}

/* asked_s is how long the server asks us to stay away; 0 where it does not. */
static int64_t asked_s(const struct fetch *f, const struct fetch_head *head)
{
    const struct platform *p = f->settings.platform;
    if (head->status < 400)
        return 0;
    if (head->retry_after_s > 0)
        return head->retry_after_s;
    if (head->retry_at <= 0)
        return 0;
    int64_t now = p->host->now(p->self);
    return head->retry_at > now ? head->retry_at - now : 0;
}

/* sleep_in_slices waits, calling the progress function, but not past the deadline. */
static enum errc sleep_in_slices(struct fetch *f, int64_t ms, struct err *err)
{
    const struct platform *p = f->settings.platform;
    enum errc rc = E_OK;
    while (rc == E_OK && ms > 0) {
        int64_t slice = ms < SLICE_MS ? ms : SLICE_MS;
        p->host->sleep_ms(p->self, slice);
        ms -= slice;
        rc = fetch_wait_left_ms(f) == 0 ? fetch_wait_over(f, err) : fetch_tell(f, err);
    }
    return rc;
}

enum errc fetch_wait_over(const struct fetch *f, struct err *err)
{
    return err_set(err, E_TIMEOUT, "not done after %" PRId64 " s, the deadline",
                   f->settings.deadline_s);
}

/* Each piece is due when those before it have had their time. What a slow network has not used may
 * be made up for, of one second at most. */
enum errc fetch_wait_pace(struct fetch *f, size_t n_bytes, struct err *err)
{
    const uint64_t rate = f->settings.rate_limit_bytes;
    const int64_t now = clock_ms(f);
    if (rate == 0)
        return E_OK;
    if (f->due_ms < now - 1000)
        f->due_ms = now - 1000;
    f->due_ms += (int64_t)((uint64_t)n_bytes * 1000 / rate);
    return f->due_ms > now ? sleep_in_slices(f, f->due_ms - now, err) : E_OK;
}

bool fetch_wait_between(struct fetch *f, unsigned n, const struct fetch_head *head,
                        bool *out_is_ours, struct err *err)
{
    int64_t wait_ms = backoff_ms(f, n), asked = asked_s(f, head);
    if (asked > FETCH_RETRY_AFTER_MAX_S) {
        (void)err_prefix(err, "(it asks to be left alone for %" PRId64 " s) ", asked);
        return false;
    }
    if (asked * 1000 > wait_ms)
        wait_ms = asked * 1000;
    if (wait_ms >= fetch_wait_left_ms(f)) {
        (void)err_prefix(err, "(no time is left for another try) ");
        return false;
    }
    if (sleep_in_slices(f, wait_ms, err) == E_OK)
        return true;
    *out_is_ours = true;
    return false;
}

/* The metrics file: named on the command line, or by the product file for runs that change
 * something. */

#include "installer/cli/product_cmd.h"
#include "installer/core/memory.h"
#include "installer/core/metrics.h"
#include "installer/core/settle.h"

#define METRICS_MAX (64 * 1024)

static enum errc gather(struct product_cmd *c, const struct upgrade_outcome *o,
                        struct memory *memory, struct metrics *m, struct err *err)
{
    char reason[RESULT_TEXT_MAX + 1];
    enum state_word word;
    enum errc rc = memory_open(&c->setup, false, memory, err);
    if (rc == E_OK)
        rc = settle_default(memory, &word, reason, err);
    if (rc != E_OK)
        return rc;
    *m = (struct metrics){ .product = c->setup.product.name,
                           .state = &memory->state,
                           .word = (int)word,
                           .newer_available = o->newer_available,
                           .downtime_ms = o->downtime_ms,
                           .now = c->cli->platform->host->now(c->cli->platform->self) };
    return memory_recovery_is_pending(memory, &m->recovery_pending, err);
}

enum errc report_metrics(struct product_cmd *c, const struct upgrade_outcome *o, const char *file,
                         struct err *err)
{
    struct platform *p = c->cli->platform;
    struct memory memory;
    struct metrics m;
    struct buf text;
    buf_init(&text, METRICS_MAX);
    enum errc rc = gather(c, o, &memory, &m, err);
    if (rc == E_OK)
        rc = metrics_write(&m, &text, err);
    if (rc == E_OK)
        rc = platform_write_file(p, file, buf_span(&text), 0, err);
    if (rc == E_OK)
        rc = p->fs->set_mode(p->self, file, 0644, err); /* for an exporter of another account */
    buf_fini(&text);
    return rc == E_OK ? rc : err_prefix(err, "metrics file: ");
}

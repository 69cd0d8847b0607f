#include "manifest/history.h"

#include <string.h>

#include "manifest/xml_out.h"

#define ARENA_MAX (64 * 1024 * 1024)

const char *const attempt_command_words[] = { "upgrade",  "run",     "install",
                                              "rollback", "recover", NULL };

/* --- the table, as history.rng has it */

static const struct schema_value reason_values[] = {
    SCHEMA_MAY("result", VALUE_TEXT, struct attempt_reason, result),
    SCHEMA_MUST("text", VALUE_TEXT, struct attempt_reason, text),
};
static const struct schema_element reason = { .name = "reason",
                                              SCHEMA_VALUES(reason_values),
                                              .max = HISTORY_REASONS_MAX,
                                              .store = STORE_LIST,
                                              .at = offsetof(struct attempt, reasons),
                                              .record_size = sizeof(struct attempt_reason) };

static const struct schema_value downtime_values[] = {
    SCHEMA_MUST("ms", VALUE_NUMBER, struct attempt, downtime_ms),
};
static enum errc note_downtime(void *record, struct err *err)
{
    UNUSED(err);
    ((struct attempt *)record)->has_downtime = true;
    return E_OK;
}
static const struct schema_element downtime = {
    .name = "downtime", SCHEMA_VALUES(downtime_values), .max = 1, .check = note_downtime
};

static const struct schema_value attempt_values[] = {
    SCHEMA_MUST("command", VALUE_WORD, struct attempt, command, .words = attempt_command_words),
    SCHEMA_MAY("from", VALUE_VERSION, struct attempt, from),
    SCHEMA_MAY("to", VALUE_VERSION, struct attempt, to),
    SCHEMA_MAY("result", VALUE_TEXT, struct attempt, result),
    SCHEMA_MUST("started", VALUE_TIME, struct attempt, started),
    SCHEMA_MAY("ended", VALUE_TIME, struct attempt, ended),
    SCHEMA_MAY("tree", VALUE_TEXT, struct attempt, tree),
    SCHEMA_MAY("old-tree", VALUE_TEXT, struct attempt, old_tree),
};
static const struct schema_element *const attempt_children[] = { &reason, &downtime, NULL };

static const struct schema_element attempt_item = { .name = "attempt",
                                                    SCHEMA_VALUES(attempt_values),
                                                    .children = attempt_children,
                                                    .max = HISTORY_ATTEMPTS_MAX,
                                                    .store = STORE_LIST,
                                                    .at = offsetof(struct history, attempts),
                                                    .record_size = sizeof(struct attempt) };
static const struct schema_element attempt_root = { .name = "attempt",
                                                    SCHEMA_VALUES(attempt_values),
                                                    .children = attempt_children };

static const struct schema_value history_values[] = {
    SCHEMA_MUST("product", VALUE_NAME, struct history, product),
};
static const struct schema_element *const history_children[] = { &attempt_item, NULL };
static const struct schema_element history_root = { .name = "history",
                                                    SCHEMA_VALUES(history_values),
                                                    .children = history_children };

/* --- reading */

enum errc history_read(struct span bytes, struct history *out, struct err *err)
{
    *out = (struct history){ .product = NULL };
    arena_init(&out->arena, ARENA_MAX);
    enum errc rc =
        schema_read(bytes, HISTORY_BYTES_MAX, HISTORY_NS, &history_root, out, &out->arena, err);
    if (rc != E_OK)
        history_fini(out);
    return rc;
}

void history_fini(struct history *h)
{
    arena_fini(&h->arena);
    *h = (struct history){ .product = NULL };
}

enum errc attempt_read(struct span bytes, struct attempt_document *out, struct err *err)
{
    *out = (struct attempt_document){ .attempt = { .command = 0 } };
    arena_init(&out->arena, ARENA_MAX);
    enum errc rc = schema_read(bytes, HISTORY_BYTES_MAX, HISTORY_NS, &attempt_root, &out->attempt,
                               &out->arena, err);
    if (rc != E_OK)
        attempt_fini(out);
    return rc;
}

void attempt_fini(struct attempt_document *d)
{
    arena_fini(&d->arena);
    *d = (struct attempt_document){ .attempt = { .command = 0 } };
}

/* --- writing */

static void put_text(struct xml_out *x, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        xml_out_attr_text(x, name, text);
}

static void put_attempt(struct xml_out *x, const struct attempt *a, bool is_root)
{
    xml_out_start(x, "attempt");
    if (is_root)
        xml_out_attr_text(x, "xmlns", HISTORY_NS);
    xml_out_attr_text(x, "command", attempt_command_words[a->command]);
    put_text(x, "from", a->from.text);
    put_text(x, "to", a->to.text);
    put_text(x, "result", a->result);
    xml_out_attr_time(x, "started", a->started);
    if (a->ended != 0)
        xml_out_attr_time(x, "ended", a->ended);
    put_text(x, "tree", a->tree);
    put_text(x, "old-tree", a->old_tree);
    if (a->has_downtime) {
        xml_out_start(x, "downtime");
        xml_out_attr_number(x, "ms", a->downtime_ms);
        xml_out_end(x);
    }
    for (size_t i = 0; i < a->reasons.n && i < HISTORY_REASONS_MAX; i++) {
        xml_out_start(x, "reason");
        put_text(x, "result", a->reasons.items[i].result);
        xml_out_attr_text(x, "text", a->reasons.items[i].text);
        xml_out_end(x);
    }
    xml_out_end(x);
}

enum errc history_write(const struct history *h, const char *product, const struct attempt *added,
                        struct buf *out, struct err *err)
{
    const size_t n_added = added != NULL ? 1 : 0, n = h->attempts.n;
    const size_t first =
        n + n_added > HISTORY_ATTEMPTS_MAX ? n + n_added - HISTORY_ATTEMPTS_MAX : 0;
    struct xml_out x;
    xml_out_init(&x, out);
    xml_out_start(&x, "history");
    xml_out_attr_text(&x, "xmlns", HISTORY_NS);
    xml_out_attr_text(&x, "product", product);
    for (size_t i = first; i < n; i++)
        put_attempt(&x, &h->attempts.items[i], false);
    if (added != NULL)
        put_attempt(&x, added, false);
    xml_out_end(&x);
    return xml_out_finish(&x, err);
}

enum errc attempt_write(const struct attempt *a, struct buf *out, struct err *err)
{
    struct xml_out x;
    xml_out_init(&x, out);
    put_attempt(&x, a, true);
    return xml_out_finish(&x, err);
}

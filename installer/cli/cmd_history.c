#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "installer/cli/json_parts.h"
#include "installer/cli/product_cmd.h"
#include "installer/core/memory.h"
#include "platform/base/text.h"

/* --- for people */

static enum errc add_text(const struct attempt *a, struct buf *out, struct err *err)
{
    char when[32];
    enum errc rc = buf_printf(out, err, "%s  %-8s  ", text_format_time(a->started, when),
                              attempt_command_words[a->command]);
    if (rc == E_OK)
        rc = buf_printf(out, err, "%s -> %s", a->from.text[0] != '\0' ? a->from.text : "nothing",
                        a->to.text[0] != '\0' ? a->to.text : "?");
    if (rc == E_OK)
        rc = buf_printf(out, err, "  %s", a->result != NULL ? a->result : "under way");
    if (rc == E_OK && a->has_downtime)
        rc = buf_printf(out, err, "  stopped for %" PRIu64 " ms", a->downtime_ms);
    if (rc == E_OK)
        rc = buf_printf(out, err, "  took %" PRId64 " s\n", a->ended - a->started);
    for (size_t i = 0; i < a->reasons.n && rc == E_OK; i++) {
        const struct attempt_reason *r = &a->reasons.items[i];
        rc = buf_printf(out, err, "    %s%s%s\n", r->result != NULL ? r->result : "",
                        r->result != NULL ? ": " : "", r->text);
    }
    return rc;
}

/* --- for programs */

static json_t *reasons_value(const struct attempt *a)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < a->reasons.n; i++) {
        const struct attempt_reason *r = &a->reasons.items[i];
        json_t *o =
            json_pack("{s:o,s:s}", "result", json_text_or_null(r->result != NULL ? r->result : ""),
                      "text", r->text);
        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static enum errc add_json(const struct product_cmd *c, const struct attempt *a, struct buf *out,
                          struct err *err)
{
    json_t *o = json_pack(
        "{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "schema", "surefoot.history/1", "product",
        c->setup.product.name, "command", attempt_command_words[a->command], "from",
        json_text_or_null(a->from.text), "to", json_text_or_null(a->to.text), "result",
        json_text_or_null(a->result != NULL ? a->result : ""), "started", json_time(a->started),
        "ended", a->ended != 0 ? json_time(a->ended) : json_null(), "downtime_ms",
        a->has_downtime ? json_integer((json_int_t)a->downtime_ms) : json_null(), "reasons",
        reasons_value(a));
    return json_add_line(o, out, err);
}

static enum errc show(struct product_cmd *c, struct buf *page, enum exit_code *code,
                      struct err *err)
{
    struct memory memory;
    struct history history;
    UNUSED(code);
    enum errc rc = memory_open(&c->setup, false, &memory, err);
    if (rc == E_OK)
        rc = memory_read_history(&memory, &history, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < history.attempts.n && rc == E_OK; i++) {
        const struct attempt *a = &history.attempts.items[i];
        rc = c->as_json ? add_json(c, a, page, err) : add_text(a, page, err);
    }
    if (rc == E_OK && history.attempts.n == 0 && !c->as_json)
        rc = buf_printf(page, err, "%s: nothing was tried yet\n", c->setup.product.name);
    history_fini(&history);
    return rc;
}

enum exit_code cmd_history(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "history PRODUCT",
        "Shows what was tried on this machine, the oldest first: when, from which version to\n"
        "which, with what result, how long the product was stopped, and why.\n",
        0
    };
    return product_cmd_show(cli, &help, show, argc, argv);
}

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "installer/cli/json_parts.h"
#include "installer/cli/product_cmd.h"
#include "installer/core/look.h"
#include "installer/core/memory.h"
#include "installer/core/settle.h"
#include "installer/core/support.h"
#include "platform/base/text.h"

/* PRODUCT.md section 5 writes the states so. */
static const char *const shown_states[] = { "Enabled", "Suspended", "Disabled" };

struct status {
    struct product_cmd *c;
    struct memory memory;
    enum state_word word; /* as it counts now, the default included */
    char reason[RESULT_TEXT_MAX + 1];
    bool is_pending;
    bool has_support; /* a feed was seen */
    struct support support;
};

/* --- what is known without asking anyone */

/* A feed that can't be recalled leaves the question open: nothing is said then. */
static void recall_support(struct status *s)
{
    struct product_demands *demands = NULL;
    struct look look;
    struct err ignored;
    const struct setup *setup = &s->c->setup;
    struct look_ask ask = { .setup = setup, .memory = &s->memory };
    if (!s->memory.state.has_installed)
        return;
    ask.now = setup->platform->host->now(setup->platform->self);
    if (product_demands_load(setup->platform, &setup->product, setup->base, ask.now, &demands,
                             &ignored) != E_OK)
        return;
    ask.demands = demands;
    if (look_recall(&ask, &look, &ignored) == E_OK) {
        support_of(verified_feed_get(look.feed), &s->memory.state.installed, ask.now, &s->support);
        s->has_support = true;
        look_fini(&look);
    }
    product_demands_free(demands);
}

static enum errc find_out(struct status *s, struct err *err)
{
    enum errc rc = memory_open(&s->c->setup, false, &s->memory, err);
    if (rc == E_OK)
        rc = settle_default(&s->memory, &s->word, s->reason, err);
    if (rc == E_OK)
        rc = memory_recovery_is_pending(&s->memory, &s->is_pending, err);
    if (rc == E_OK)
        recall_support(s);
    return rc;
}

/* --- for people */

static enum errc add_warnings(const struct status *s, struct buf *out, struct err *err)
{
    char when[32];
    enum errc rc = E_OK;
    if (s->is_pending)
        rc = buf_add_text(out,
                          "  warning      an upgrade was interrupted: surefoot recover finishes or "
                          "undoes it\n",
                          err);
    if (rc == E_OK && s->support.is_withdrawn)
        rc = buf_add_text(out, "  warning      this version was withdrawn by its maker\n", err);
    if (rc == E_OK && s->support.is_near)
        rc = buf_printf(out, err, "  warning      support of this version %s %s\n",
                        s->support.has_ended ? "ended" : "ends",
                        text_format_time(s->support.ends, when));
    return rc;
}

static enum errc add_detail(const struct status *s, struct buf *out, struct err *err)
{
    const struct upgrade_state *state = &s->memory.state;
    char when[32];
    enum errc rc = buf_printf(out, err, "  state since  %s%s\n",
                              state->since != 0 ? text_format_time(state->since, when) : "ever",
                              state->is_set ? ", set by hand" : "");
    if (rc == E_OK && state->switch_mode != STATE_SWITCH_NONE)
        rc = buf_printf(out, err, "  switch       %s, tree %s\n",
                        state_switch_words[state->switch_mode], state->tree);
    if (rc == E_OK && state->looked != 0)
        rc = buf_printf(out, err, "  last look    %s\n", text_format_time(state->looked, when));
    for (size_t i = 0; i < state->n_seen && rc == E_OK; i++)
        rc = buf_printf(out, err, "  first seen   %s at %s\n", state->seen[i].version.text,
                        text_format_time(state->seen[i].first, when));
    for (size_t i = 0; i < state->n_marks && rc == E_OK; i++)
        rc = buf_printf(out, err, "  feed mark    %.30s... serial %" PRIu64 "\n",
                        state->marks[i].key, state->marks[i].serial);
    if (rc == E_OK && state->has_waiting)
        rc = buf_printf(out, err, "  waiting      for programs to end, since %s\n",
                        text_format_time(state->waiting_since, when));
    if (rc == E_OK)
        rc = buf_printf(out, err, "  state folder %s\n  cache folder %s\n", s->c->setup.state,
                        s->c->setup.cache);
    return rc;
}

static enum errc add_text(const struct status *s, struct buf *out, struct err *err)
{
    const struct upgrade_state *state = &s->memory.state;
    char when[32], reason[300];
    enum errc rc =
        buf_printf(out, err, "%s: %s\n", s->c->setup.product.name, shown_states[s->word]);
    if (rc == E_OK && s->reason[0] != '\0')
        rc = buf_printf(out, err, "  reason       %s\n",
                        text_printable(span_text(s->reason), reason, sizeof(reason)));
    if (rc == E_OK)
        rc = buf_printf(out, err, "  installed    %s\n",
                        state->has_installed ? state->installed.text : "nothing yet");
    if (rc == E_OK && state->has_last)
        rc = buf_printf(out, err, "  last result  %s (%s, %s)\n", state->last_result,
                        state->last_version.text, text_format_time(state->last_time, when));
    for (size_t i = state->n_kept; i > 0 && rc == E_OK; i--)
        rc = buf_printf(out, err, "  kept         %s since %s\n", state->kept[i - 1].version.text,
                        text_format_time(state->kept[i - 1].since, when));
    for (size_t i = 0; i < state->n_holds && rc == E_OK; i++)
        rc = buf_printf(out, err, "  on hold      %s since %s\n", state->holds[i].version.text,
                        text_format_time(state->holds[i].since, when));
    if (rc == E_OK)
        rc = add_warnings(s, out, err);
    return rc == E_OK && s->c->detail ? add_detail(s, out, err) : rc;
}

/* --- for programs */

static json_t *version_or_null(bool has, const struct version *v)
{
    return has ? json_string(v->text) : json_null();
}

static json_t *time_or_null(int64_t t)
{
    return t != 0 ? json_time(t) : json_null();
}

static json_t *kept_value(const struct upgrade_state *state)
{
    json_t *list = json_array();
    for (size_t i = state->n_kept; list != NULL && i > 0; i--) {
        json_t *o = json_pack("{s:s,s:o}", "version", state->kept[i - 1].version.text, "since",
                              json_time(state->kept[i - 1].since));
        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *holds_value(const struct upgrade_state *state)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < state->n_holds; i++) {
        json_t *o = json_pack("{s:s,s:o}", "version", state->holds[i].version.text, "since",
                              json_time(state->holds[i].since));
        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *last_value(const struct upgrade_state *state)
{
    return state->has_last
               ? json_pack("{s:s,s:s,s:o}", "version", state->last_version.text, "result",
                           state->last_result, "time", json_time(state->last_time))
               : json_null();
}

static enum errc add_json(const struct status *s, struct buf *out, struct err *err)
{
    const struct upgrade_state *state = &s->memory.state;
    json_t *o = json_pack(
        "{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:b,s:o,s:b,s:s,s:o}", "schema",
        "surefoot.status/1", "product", s->c->setup.product.name, "state", shown_states[s->word],
        "reason", json_text_or_null(s->reason), "since", time_or_null(state->since), "installed",
        version_or_null(state->has_installed, &state->installed), "last", last_value(state), "kept",
        kept_value(state), "holds", holds_value(state), "recovery_pending", s->is_pending ? 1 : 0,
        "withdrawn", s->support.is_withdrawn ? 1 : 0, "support_ends", time_or_null(s->support.ends),
        "support_warning", s->support.is_near ? 1 : 0, "switch",
        state_switch_words[state->switch_mode], "looked", time_or_null(state->looked));
    return json_add_line(o, out, err);
}

static enum errc show(struct product_cmd *c, struct buf *page, enum exit_code *code,
                      struct err *err)
{
    struct status *s = calloc(1, sizeof(*s));
    UNUSED(code);
    if (s == NULL)
        return err_nomem(err);
    s->c = c;
    enum errc rc = find_out(s, err);
    if (rc == E_OK)
        rc = c->as_json ? add_json(s, page, err) : add_text(s, page, err);
    free(s);
    return rc;
}

enum exit_code cmd_status(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "status [--detail] PRODUCT",
        "Shows state and reason, the installed version, the last result and when, and what is\n"
        "kept for a rollback. Asks no one.\n",
        OPTION_DETAIL
    };
    return product_cmd_show(cli, &help, show, argc, argv);
}

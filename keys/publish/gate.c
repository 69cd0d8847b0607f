#include "keys/publish/gate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"

void gate_fini(struct gate *g)
{
    free(g->items);
    *g = (struct gate){ .n = 0 };
}

static bool is_known(const struct gate *g, const struct gate_finding *f)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->items[i].level == f->level && strcmp(g->items[i].code, f->code) == 0 &&
            strcmp(g->items[i].where, f->where) == 0 && strcmp(g->items[i].text, f->text) == 0)
            return true;
    return false;
}

static bool has_room(struct gate *g)
{
    if (g->n < g->n_room)
        return true;
    size_t n_room = g->n_room == 0 ? 16 : g->n_room * 2;
    struct gate_finding *items = realloc(g->items, n_room * sizeof(*items));
    if (items == NULL)
        return false;
    g->items = items;
    g->n_room = n_room;
    return true;
}

static void keep(struct gate *g, const struct gate_finding *f)
{
    if (g->n == GATE_FINDINGS_MAX) {
        g->n_cut++;
        g->worst_cut = f->level > g->worst_cut ? f->level : g->worst_cut;
        return;
    }
    if (is_known(g, f))
        return;
    if (!has_room(g))
        g->is_full = true;
    else
        g->items[g->n++] = *f;
}

void gate_add(struct gate *g, enum gate_level level, const char *code, const char *where,
              const char *fmt, ...)
{
    struct gate_finding f = { .level = level, .code = code };
    char text[sizeof(f.text)];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)text_printable(span_text(where), f.where, sizeof(f.where));
    (void)text_printable(span_text(text), f.text, sizeof(f.text));
    keep(g, &f);
}

void gate_add_err(struct gate *g, const char *where, const struct err *err)
{
    const bool is_refused = errc_is_about_bytes(err->code) || err->code == E_REFUSED;
    if (err->code == E_ABSENT)
        gate_add(g, GATE_REFUSED, "Missing", where, "%s", err->text);
    else
        gate_add(g, is_refused ? GATE_REFUSED : GATE_FAILED, is_refused ? "Malformed" : "ReadError",
                 where, "%s", err->text);
}

static void add_findings(struct gate *g, const char *where, const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].fatal)
            gate_add(g, GATE_REFUSED, reason_word(findings->items[i].reason), where, "%s",
                     findings->items[i].text);
}

void gate_add_verdict(struct gate *g, const char *where, const struct verdict *v)
{
    add_findings(g, where, &v->report.findings);
    for (size_t i = 0; i < v->n_sigs; i++)
        add_findings(g, where, &v->sigs[i]->findings);
}

enum gate_level gate_worst(const struct gate *g)
{
    enum gate_level worst = g->is_full ? GATE_FAILED : g->worst_cut;
    for (size_t i = 0; i < g->n; i++)
        if (g->items[i].level > worst)
            worst = g->items[i].level;
    return worst;
}

#include "verify/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "verify/policy.h"

const char *reason_word(enum reason reason)
{
    switch (reason) {
    case REASON_NONE: return "None";
#define X(name, word, advice)                                                                      \
    case REASON_##name: return word;
        REASONS(X)
#undef X
    }
    return "Unknown";
}

const char *reason_advice(enum reason reason)
{
    switch (reason) {
    case REASON_NONE: return "";
#define X(name, word, advice)                                                                      \
    case REASON_##name: return advice;
        REASONS(X)
#undef X
    }
    return "";
}

const char *sig_system_word(enum sig_system system)
{
    switch (system) {
    case SYSTEM_NONE: return "none";
    case SYSTEM_AUTHENTICODE: return "authenticode";
    case SYSTEM_CMS: return "cms";
    case SYSTEM_MINISIGN: return "minisign";
    }
    return "none";
}

const char *outcome_word(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_ACCEPTED: return "accepted";
    case OUTCOME_REFUSED: return "refused";
    case OUTCOME_UNSIGNED: return "unsigned";
    case OUTCOME_UNSUPPORTED: return "unsupported";
    case OUTCOME_NONE:
    case OUTCOME_ERROR: return "error";
    }
    return "error";
}

static bool finding_is(const struct finding *f, enum reason reason, enum weight weight,
                       const char *text)
{
    return f->reason == reason && f->weight == weight && strcmp(f->text, text) == 0;
}

void findings_add(struct findings *f, enum reason reason, enum weight weight, uint64_t at,
                  const char *fmt, ...)
{
    char raw[sizeof(f->items[0].text)];
    char text[sizeof(raw)];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    /* What has passed text_printable once keeps its backslashes: only control bytes are replaced
     * here. */
    size_t len = n < 0 ? 0 : strlen(raw);
    for (size_t i = 0; i < len; i++)
        text[i] = (unsigned char)raw[i] < 0x20 || raw[i] == 0x7F ? '?' : raw[i];
    text[len] = '\0';
    while (len > 0 && !text_is_utf8(span_of(text, len))) /* a character cut in two by the room */
        text[--len] = '\0';

    for (size_t i = 0; i < f->n; i++)
        if (finding_is(&f->items[i], reason, weight, text))
            return;
    struct finding *item = &f->items[f->n < FINDINGS_MAX ? f->n++ : FINDINGS_MAX - 1];
    if (f->n == FINDINGS_MAX) {
        *item = (struct finding){ .reason = REASON_MALFORMED, .fatal = true, .at = NO_OFFSET };
        (void)text_copy(item->text, sizeof(item->text), "more is wrong than fits in this report");
        return;
    }
    *item = (struct finding){
        .reason = reason, .weight = weight, .fatal = weight != WEIGHT_NOTE, .at = at
    };
    (void)text_copy(item->text, sizeof(item->text), text);
}

void findings_add_err(struct findings *f, const struct err *err, uint64_t at)
{
    enum reason reason = err->code == E_UNSUPPORTED ? REASON_UNSUPPORTED : REASON_MALFORMED;
    findings_add(f, reason, WEIGHT_FATAL, at, "%s", err->text);
}

bool findings_have(const struct findings *f, enum reason reason)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].reason == reason)
            return true;
    return false;
}

bool findings_have_weight(const struct findings *f, enum weight weight)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].weight == weight)
            return true;
    return false;
}

static enum errc grow_ranges(struct report *r, struct err *err)
{
    if (r->n_ranges >= UNCOVERED_MAX)
        return err_set(err, E_LIMIT, "more than %d ranges that no signature covers", UNCOVERED_MAX);
    if (r->n_ranges < r->room_ranges)
        return E_OK;
    size_t room = r->room_ranges == 0 ? 16 : r->room_ranges * 2;
    struct uncovered *grown = realloc(r->ranges, room * sizeof(*grown));
    if (grown == NULL)
        return err_nomem(err);
    r->ranges = grown;
    r->room_ranges = room;
    return E_OK;
}

enum errc report_uncovered(struct report *r, uint64_t at, uint64_t len, const char *what,
                           struct err *err)
{
    if (len == 0)
        return E_OK;
    struct uncovered *last = r->n_ranges == 0 ? NULL : &r->ranges[r->n_ranges - 1];
    if (last != NULL && last->what == what && last->at + last->len == at) {
        last->len += len;
        return E_OK;
    }
    enum errc rc = grow_ranges(r, err);
    if (rc == E_OK)
        r->ranges[r->n_ranges++] = (struct uncovered){ at, len, what };
    return rc;
}

void report_fini(struct report *r)
{
    free(r->ranges);
    *r = (struct report){ .n_ranges = 0 };
}

enum errc verdict_add_sig(struct verdict *v, struct sig_verdict **out_sig, struct err *err)
{
    if (v->n_sigs == SIGS_MAX) {
        findings_add(&v->report.findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                     "more than %d signatures", SIGS_MAX);
        return err_set(err, E_LIMIT, "more than %d signatures", SIGS_MAX);
    }
    struct sig_verdict *sig = calloc(1, sizeof(*sig));
    if (sig == NULL)
        return err_nomem(err);
    v->sigs[v->n_sigs++] = sig;
    *out_sig = sig;
    return E_OK;
}

void verdict_fini(struct verdict *v)
{
    for (size_t i = 0; i < v->n_sigs; i++)
        free(v->sigs[i]);
    report_fini(&v->report);
    *v = (struct verdict){ .outcome = OUTCOME_NONE };
}

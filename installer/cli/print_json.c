/* JSON lines, surefoot.verify/1: one object a line and a file (docs/schema/verify.schema.json). */

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "installer/cli/json_parts.h"
#include "installer/cli/print.h"
#include "platform/base/text.h"

static json_t *finding_value(const struct finding *f)
{
    json_t *o = json_pack("{s:s,s:s}", "code", reason_word(f->reason), "detail", f->text);
    if (o != NULL && f->at != NO_OFFSET &&
        json_object_set_new(o, "offset", json_integer((json_int_t)f->at)) != 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *findings_value(const struct findings *list, bool fatal)
{
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < list->n; i++)
        if (list->items[i].fatal == fatal &&
            json_array_append_new(a, finding_value(&list->items[i])) != 0) {
            json_decref(a);
            return NULL;
        }
    return a;
}

static json_t *reasons_value(const struct verdict *v)
{
    const struct finding *reasons[FINDINGS_MAX * (SIGS_MAX + 1)];
    size_t n = print_reasons_of_file(v, reasons, ARRAY_LEN(reasons));
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < n; i++)
        if (json_array_append_new(a, finding_value(reasons[i])) != 0) {
            json_decref(a);
            return NULL;
        }
    return a;
}

static json_t *ranges_value(const struct report *r)
{
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < r->n_ranges; i++) {
        const struct uncovered *u = &r->ranges[i];
        json_t *o = json_pack("{s:I,s:I,s:s}", "at", (json_int_t)u->at, "len", (json_int_t)u->len,
                              "what", u->what);
        if (json_array_append_new(a, o) != 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static json_t *chain_value(const struct sig_verdict *sig)
{
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < sig->n_chain; i++)
        if (json_array_append_new(a, json_string(sig->chain[i])) != 0) {
            json_decref(a);
            return NULL;
        }
    return a;
}

static json_t *stamp_value(const struct stamp_facts *stamp)
{
    if (stamp->kind == STAMP_NONE)
        return json_null();
    return json_pack("{s:s,s:o,s:o,s:b}", "kind", json_stamp_kind(stamp->kind), "time",
                     stamp->time == 0 ? json_null() : json_time(stamp->time), "authority",
                     json_text_or_null(stamp->authority), "trusted", (int)stamp->trusted);
}

static json_t *program_value(const struct sig_verdict *sig)
{
    if (sig->program_name[0] == '\0' && sig->program_url[0] == '\0')
        return json_null();
    return json_pack("{s:o,s:o}", "name", json_text_or_null(sig->program_name), "url",
                     json_text_or_null(sig->program_url));
}

/* What only one system has. */
static int add_own(json_t *o, const struct sig_verdict *sig)
{
    int bad = 0;
    if (sig->system == SYSTEM_AUTHENTICODE)
        bad |= json_object_set_new(o, "nested", json_boolean(sig->nested));
    if (sig->member[0] != '\0')
        bad |= json_object_set_new(o, "member", json_string(sig->member));
    if (sig->system == SYSTEM_MINISIGN) {
        bad |= json_object_set_new(o, "key_id", json_text_or_null(sig->key_id));
        bad |= json_object_set_new(o, "trusted_comment", json_text_or_null(sig->trusted_comment));
    }
    return bad;
}

static json_t *signature_value(const struct sig_verdict *sig)
{
    json_t *o = json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "kind",
                          sig_system_word(sig->system), "digest", digest_word(sig->digest),
                          "verdict", sig->ruling == RULING_ACCEPTED ? "accepted" : "refused",
                          "reasons", findings_value(&sig->findings, true), "findings",
                          findings_value(&sig->findings, false), "signer", json_signer(sig),
                          "chain", chain_value(sig), "signed_at",
                          sig->has_signed_at ? json_time(sig->signed_at) : json_null(), "timestamp",
                          stamp_value(&sig->stamp), "program", program_value(sig));
    if (o != NULL && add_own(o, sig) != 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *signatures_value(const struct verdict *v)
{
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < v->n_sigs; i++)
        if (json_array_append_new(a, signature_value(v->sigs[i])) != 0) {
            json_decref(a);
            return NULL;
        }
    return a;
}

static const char *revocation_word(enum revocation r)
{
    return r == REVOCATION_OFF ? "off" : r == REVOCATION_CRL ? "crl" : "online";
}

static json_t *verdict_value(const struct print_input *in)
{
    const struct verdict *v = in->verdict;
    struct buf name;
    struct err ignored;
    buf_init(&name, PRINT_FILE_MAX);
    if (text_add_printable(&name, span_text(in->file), &ignored) != E_OK ||
        buf_add_byte(&name, '\0', &ignored) != E_OK) {
        buf_fini(&name);
        return NULL;
    }
    json_t *o = json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:o,s:s,s:o,s:o,s:o,s:o}", "schema",
                          "surefoot.verify/1", "file", (const char *)name.ptr, "type", v->type,
                          "size", (json_int_t)v->size, "verdict", outcome_word(v->outcome),
                          "profile", in->policy->profile == PROFILE_STRICT ? "strict" : "windows",
                          "at", json_time(in->policy->now), "revocation",
                          revocation_word(in->policy->revocation), "reasons", reasons_value(v),
                          "findings", findings_value(&v->report.findings, false), "unauthenticated",
                          ranges_value(&v->report), "signatures", signatures_value(v));
    buf_fini(&name);
    if (o != NULL && v->has_sha256 && in->policy->want_file_digest) {
        char hex[TEXT_SHA256_ROOM];
        if (json_object_set_new(o, "sha256",
                                json_string(text_to_hex(digest_span(&v->sha256), hex))) != 0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

static enum errc json_file(const struct print_input *in, const struct print_style *style,
                           struct buf *out, struct err *err)
{
    UNUSED(style);
    return json_add_line(verdict_value(in), out, err);
}

const struct printer print_json = { .word = "json", .file = json_file, .between = "" };

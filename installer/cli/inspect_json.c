#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "installer/cli/inspect.h"
#include "installer/cli/json_parts.h"
#include "platform/base/text.h"

static json_t *stamp_value(const struct stamp_facts *stamp)
{
    if (stamp->kind == STAMP_NONE)
        return json_null();
    return json_pack("{s:s,s:o,s:o}", "kind", json_stamp_kind(stamp->kind), "time",
                     stamp->time == 0 ? json_null() : json_time(stamp->time), "authority",
                     json_text_or_null(stamp->authority));
}

static json_t *signature_value(const struct sig_verdict *sig)
{
    return json_pack(
        "{s:s,s:s,s:b,s:b,s:o,s:o,s:o,s:o,s:o,s:o}", "kind", sig_system_word(sig->system), "digest",
        digest_word(sig->digest), "nested", (int)sig->nested, "intact",
        (int)((sig->proven & FACTS_INTACT) == FACTS_INTACT), "signer", json_signer(sig),
        "timestamp", stamp_value(&sig->stamp), "program_name", json_text_or_null(sig->program_name),
        "program_url", json_text_or_null(sig->program_url), "key_id",
        json_text_or_null(sig->key_id), "trusted_comment", json_text_or_null(sig->trusted_comment));
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

/* --- an installer package */

static json_t *languages_value(const char *text)
{
    json_t *a = json_array();
    while (a != NULL && *text != '\0') {
        size_t len = strcspn(text, ",");
        if (json_array_append_new(a, json_stringn(text, len)) != 0) {
            json_decref(a);
            return NULL;
        }
        text += len + (text[len] == ',' ? 1 : 0);
    }
    return a;
}

static json_t *cabinets_value(const struct inspect_msi *m)
{
    json_t *a = json_array();
    for (uint64_t i = 0; a != NULL && i < m->n_cabinets && i < INSPECT_CABINETS_MAX; i++) {
        const struct inspect_cabinet *c = &m->cabinets[i];
        json_t *o =
            json_pack("{s:s,s:b,s:o}", "name", c->name, "embedded", (int)c->is_embedded, "size",
                      c->has_size ? json_integer((json_int_t)c->size) : json_null());
        if (json_array_append_new(a, o) != 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static json_t *msi_value(const struct inspect_msi *m)
{
    if (m == NULL || !m->is_there)
        return json_null();
    return json_pack(
        "{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o}", "kind", m->kind,
        "product_name", json_text_or_null(m->name), "product_version",
        json_text_or_null(m->version), "manufacturer", json_text_or_null(m->manufacturer),
        "product_code", json_text_or_null(m->product_code), "upgrade_code",
        json_text_or_null(m->upgrade_code), "package_code", json_text_or_null(m->package_code),
        "title", json_text_or_null(m->title), "platform", json_text_or_null(m->platform),
        "languages", languages_value(m->languages), "targets", json_text_or_null(m->targets),
        "files", m->has_files ? json_integer((json_int_t)m->n_files) : json_null(), "n_cabinets",
        (json_int_t)m->n_cabinets, "cabinets", cabinets_value(m));
}

static json_t *cat_value(const struct inspect_input *in)
{
    return in->has_members ? json_pack("{s:I}", "members", (json_int_t)in->n_members) : json_null();
}

/* --- */

static json_t *findings_value(const struct findings *list, const char *trouble)
{
    json_t *a = json_array();
    if (a != NULL && trouble[0] != '\0' &&
        json_array_append_new(a, json_pack("{s:s,s:s}", "code", reason_word(REASON_MALFORMED),
                                           "detail", trouble)) != 0) {
        json_decref(a);
        return NULL;
    }
    for (size_t i = 0; a != NULL && i < list->n; i++) {
        json_t *o = json_pack("{s:s,s:s}", "code", reason_word(list->items[i].reason), "detail",
                              list->items[i].text);
        if (list->items[i].reason == REASON_NO_PUBLISHER_DEMANDED)
            json_decref(o);
        else if (json_array_append_new(a, o) != 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

enum errc inspect_print_json(const struct inspect_input *in, struct buf *out, struct err *err)
{
    const struct verdict *v = in->verdict;
    struct buf name;
    buf_init(&name, 1024 * 1024);
    enum errc rc = text_add_printable(&name, span_text(in->file), err);
    if (rc == E_OK)
        rc = buf_add_byte(&name, '\0', err);
    if (rc != E_OK) {
        buf_fini(&name);
        return rc;
    }
    json_t *o = json_pack(
        "{s:s,s:s,s:s,s:I,s:b,s:o,s:o,s:o,s:o}", "schema", "surefoot.inspect/1", "file",
        (const char *)name.ptr, "type", v->type, "size", (json_int_t)v->size, "proven", 0, "msi",
        msi_value(in->msi), "cat", cat_value(in), "signatures", signatures_value(v), "findings",
        findings_value(&v->report.findings, in->msi == NULL ? "" : in->msi->trouble));
    buf_fini(&name);
    return json_add_line(o, out, err);
}

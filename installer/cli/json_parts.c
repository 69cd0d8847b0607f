#include "installer/cli/json_parts.h"

#include <stdlib.h>

#include <jansson.h>

#include "platform/base/text.h"

struct json_t *json_text_or_null(const char *text)
{
    return text[0] == '\0' ? json_null() : json_string(text);
}

struct json_t *json_time(int64_t unix_s)
{
    char text[32];
    return json_string(text_format_time(unix_s, text));
}

struct json_t *json_signer(const struct sig_verdict *sig)
{
    const struct cert_facts *c = &sig->signer;
    if (!sig->has_signer)
        return json_null();
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "subject", c->subject, "issuer", c->issuer,
                     "serial", c->serial, "sha256", c->sha256, "spki_sha256", c->spki_sha256,
                     "not_before", json_time(c->not_before), "not_after", json_time(c->not_after));
}

const char *json_stamp_kind(enum stamp_kind kind)
{
    return kind == STAMP_RFC3161 ? "rfc3161" : "pkcs9";
}

enum errc json_add_line(struct json_t *object, struct buf *out, struct err *err)
{
    char *line = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (line == NULL)
        return err_nomem(err);
    enum errc rc = buf_add_text(out, line, err);
    free(line);
    return rc == E_OK ? buf_add_byte(out, '\n', err) : rc;
}

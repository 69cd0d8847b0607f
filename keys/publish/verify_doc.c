#include "keys/publish/verify_doc.h"

#include <inttypes.h>
#include <stdio.h>

#include "platform/base/text.h"

#define SCHEMA                                                                                     \
    {                                                                                              \
        "schema", FIELD_TEXT, "surefoot.publish-verify/1", 0                                       \
    }

const char *const doc_words[] = { "other", "feed", "release", "product" };

/* --- what is said: text */

static const char *shown_file(const struct doc *d, char to[240])
{
    return text_printable(span_text(d->file), to, 240);
}

static enum errc say_findings(struct doc *d, const struct findings *findings)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < findings->n && rc == E_OK; i++)
        if (findings->items[i].fatal)
            rc = buf_printf(&d->page, &d->err, "  %s: %s\n    %s\n",
                            reason_word(findings->items[i].reason), findings->items[i].text,
                            reason_advice(findings->items[i].reason));
    return rc;
}

static enum errc say_refused_text(struct doc *d, const char *why)
{
    char file[240];
    enum errc rc = buf_printf(&d->page, &d->err, "%s: refused\n", shown_file(d, file));
    size_t len = d->page.len;
    for (size_t i = 0; i < ARRAY_LEN(d->verdicts) && rc == E_OK; i++) {
        rc = say_findings(d, &d->verdicts[i].report.findings);
        for (size_t k = 0; k < d->verdicts[i].n_sigs && rc == E_OK; k++)
            rc = say_findings(d, &d->verdicts[i].sigs[k]->findings);
    }
    return rc == E_OK && d->page.len == len ? buf_printf(&d->page, &d->err, "  %s\n", why) : rc;
}

static enum errc say_signers(struct doc *d)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < ARRAY_LEN(d->verdicts); i++)
        for (size_t k = 0; k < d->verdicts[i].n_sigs && rc == E_OK; k++) {
            const struct sig_verdict *sig = d->verdicts[i].sigs[k];
            bool is_minisign = sig->system == SYSTEM_MINISIGN;
            rc = buf_printf(&d->page, &d->err, "  signed by %s%s\n",
                            is_minisign ? "minisign key " : "",
                            is_minisign ? sig->key_id : sig->signer.subject);
        }
    return rc;
}

static enum errc say_feed_release(struct doc *d, const struct feed_release *r)
{
    char time[32];
    enum errc rc = buf_printf(&d->page, &d->err, "  %s: %s, %s", r->version.text,
                              release_status_words[r->status], severity_words[r->severity]);
    if (rc == E_OK && r->rollout.percent != 0)
        rc = buf_printf(&d->page, &d->err, ", rollout from %s on",
                        text_format_time(r->rollout.start, time));
    if (rc == E_OK && r->install_by != 0)
        rc = buf_printf(&d->page, &d->err, ", to be installed by %s",
                        text_format_time(r->install_by, time));
    return rc == E_OK ? buf_printf(&d->page, &d->err, "\n") : rc;
}

static enum errc say_feed_text(struct doc *d, const struct feed *feed)
{
    char file[240], issued[32], expires[32];
    enum errc rc = buf_printf(
        &d->page, &d->err,
        "%s: accepted: feed of %s, channel %s, serial %" PRIu64 "\n  issued %s, expires %s\n",
        shown_file(d, file), feed->product, feed->channel, feed->serial,
        text_format_time(feed->issued, issued), text_format_time(feed->expires, expires));
    if (rc == E_OK)
        rc = say_signers(d);
    for (size_t i = 0; i < feed->releases.n && rc == E_OK; i++)
        rc = say_feed_release(d, &feed->releases.items[i]);
    return rc;
}

/* --- what is said: JSON */

static enum errc say_line(struct doc *d, const char *verdict, const char *detail)
{
    const struct field fields[] = {
        SCHEMA,
        { "file", FIELD_TEXT, d->file, 0 },
        { "type", FIELD_TEXT, doc_words[d->type], 0 },
        { "verdict", FIELD_TEXT, verdict, 0 },
        { "detail", FIELD_TEXT, detail, 0 },
    };
    return print_json_line(fields, ARRAY_LEN(fields), &d->page, &d->err);
}

static enum errc say_named_line(struct doc *d, const char *product, const char *version,
                                const char *detail)
{
    const struct field fields[] = {
        SCHEMA,
        { "file", FIELD_TEXT, d->file, 0 },
        { "type", FIELD_TEXT, doc_words[d->type], 0 },
        { "verdict", FIELD_TEXT, d->is_unproven ? "unproven" : "wellformed", 0 },
        { "product", FIELD_TEXT, product, 0 },
        { "version", FIELD_TEXT, version, 0 },
        { "detail", FIELD_TEXT, detail, 0 },
    };
    return print_json_line(fields, ARRAY_LEN(fields), &d->page, &d->err);
}

static enum errc say_release_line(struct doc *d, const struct feed_release *r)
{
    const struct field fields[] = {
        SCHEMA,
        { "file", FIELD_TEXT, d->file, 0 },
        { "type", FIELD_TEXT, "feed-release", 0 },
        { "version", FIELD_TEXT, r->version.text, 0 },
        { "status", FIELD_TEXT, release_status_words[r->status], 0 },
        { "severity", FIELD_TEXT, severity_words[r->severity], 0 },
        { "document", FIELD_TEXT, r->document.path, 0 },
        { "rollout_percent", r->rollout.percent == 0 ? FIELD_NULL : FIELD_NUMBER, NULL,
          (int64_t)r->rollout.percent },
        { "install_by", r->install_by == 0 ? FIELD_NULL : FIELD_TIME, NULL, r->install_by },
    };
    return print_json_line(fields, ARRAY_LEN(fields), &d->page, &d->err);
}

static enum errc say_feed_json(struct doc *d, const struct feed *feed)
{
    char serial[FIELD_SERIAL_ROOM];
    const struct field fields[] = {
        SCHEMA,
        { "file", FIELD_TEXT, d->file, 0 },
        { "type", FIELD_TEXT, "feed", 0 },
        { "verdict", FIELD_TEXT, "accepted", 0 },
        { "product", FIELD_TEXT, feed->product, 0 },
        { "channel", FIELD_TEXT, feed->channel, 0 },
        print_json_serial(feed->serial, serial),
        { "issued", FIELD_TIME, NULL, feed->issued },
        { "expires", FIELD_TIME, NULL, feed->expires },
        { "releases", FIELD_NUMBER, NULL, (int64_t)feed->releases.n },
    };
    enum errc rc = print_json_line(fields, ARRAY_LEN(fields), &d->page, &d->err);
    for (size_t i = 0; i < feed->releases.n && rc == E_OK; i++)
        rc = say_release_line(d, &feed->releases.items[i]);
    return rc;
}

/* --- either */

enum errc doc_say_feed(struct doc *d, const struct feed *feed)
{
    return d->format == PUBLISH_JSON ? say_feed_json(d, feed) : say_feed_text(d, feed);
}

enum errc doc_say_file(struct doc *d)
{
    char file[240];
    if (d->format == PUBLISH_JSON)
        return say_line(d, "accepted", NULL);
    enum errc rc = buf_printf(&d->page, &d->err, "%s: accepted\n", shown_file(d, file));
    return rc == E_OK ? say_signers(d) : rc;
}

enum errc doc_say_form(struct doc *d, const char *product, const char *version, const char *why)
{
    char file[240];
    if (d->format == PUBLISH_JSON)
        return say_named_line(d, product, version, why);
    return buf_printf(&d->page, &d->err, "%s: %s: %s of %s%s%s\n  %s\n", shown_file(d, file),
                      d->is_unproven ? "not proven, though it reads well" : "reads well",
                      doc_words[d->type], product, version == NULL ? "" : " ",
                      version == NULL ? "" : version, why);
}

static const struct finding *first_fatal(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].fatal)
            return &findings->items[i];
    return NULL;
}

/* The first reason, for the one line that JSON has. */
static const char *first_reason(const struct doc *d, const char *otherwise, char to[240])
{
    const struct finding *f = NULL;
    for (size_t i = 0; i < ARRAY_LEN(d->verdicts) && f == NULL; i++) {
        f = first_fatal(&d->verdicts[i].report.findings);
        for (size_t k = 0; k < d->verdicts[i].n_sigs && f == NULL; k++)
            f = first_fatal(&d->verdicts[i].sigs[k]->findings);
    }
    if (f == NULL)
        return otherwise;
    (void)snprintf(to, 240, "%s: %s", reason_word(f->reason), f->text);
    return to;
}

enum errc doc_say_not(struct doc *d, bool is_refused, const char *why)
{
    char reason[240], file[240];
    buf_clear(&d->page);
    if (d->format == PUBLISH_JSON)
        return say_line(d, is_refused ? "refused" : "error", first_reason(d, why, reason));
    if (is_refused)
        return say_refused_text(d, why);
    return buf_printf(&d->page, &d->err, "%s: error\n  %s\n", shown_file(d, file), why);
}

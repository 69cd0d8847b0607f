#include "keys/publish/sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keys/publish/keyfile.h"
#include "keys/publish/signer_private.h"
#include "platform/base/text.h"
#include "verify/detached.h"

enum errc signer_init(struct signer *s, const struct signer_ops *ops, struct platform *platform,
                      struct err *err)
{
    *s = (struct signer){ .ops = ops, .platform = platform, .facts = { .system = ops->system } };
    enum errc rc = trust_new(&s->trust, err);
    s->policy = (struct policy){ .profile = PROFILE_STRICT,
                                 .now = platform->host->now(platform->self),
                                 .trust = s->trust };
    return rc;
}

enum errc signer_open(struct platform *p, const struct signer_ask *ask, struct signer **out,
                      struct err *err)
{
    enum errc rc = signer_ask_check(ask, err);
    if (rc != E_OK)
        return rc;
    return ask->key != NULL ? signer_open_minisign(p, ask, out, err)
                            : signer_open_cms(p, ask, out, err);
}

void signer_close(struct signer *s)
{
    if (s == NULL)
        return;
    trust_free(s->trust);
    s->ops->close(s);
}

const char *signer_suffix(const struct signer *s)
{
    return s->ops->suffix;
}

const struct signer_facts *signer_describe(const struct signer *s)
{
    return &s->facts;
}

const struct policy *signer_policy(const struct signer *s)
{
    return &s->policy;
}

/* --- comments */

const char *signer_file_comment(const struct signer *s, const char *path,
                                char to[SIGN_COMMENT_MAX + 1])
{
    char name[SIGN_COMMENT_MAX - 100];
    const char *last = path;
    for (const char *at = path; *at != '\0'; at++)
        if (*at == '/' || *at == '\\')
            last = at + 1;
    text_printable(span_text(last), name, sizeof(name));
    (void)snprintf(to, SIGN_COMMENT_MAX + 1, "timestamp:%" PRId64 "\tfile:%s\thashed",
                   s->platform->host->now(s->platform->self), name);
    return to;
}

/* The comment that is signed: the caller's, once it is checked, or one of our own in `room`. */
static enum errc choose_comment(const struct signer *s, const char *given, char *room, size_t len,
                                const char **out, struct err *err)
{
    *out = given;
    if (s->ops->system != SYSTEM_MINISIGN)
        return given == NULL ? E_OK
                             : err_set(err, E_ARGUMENT,
                                       "a trusted comment is minisign's; CMS signatures have none");
    if (given != NULL)
        return keyfile_check_comment(given, SIGN_COMMENT_MAX, err);
    (void)snprintf(room, len, "timestamp:%" PRId64 "\thashed", s->policy.now);
    *out = room;
    return E_OK;
}

/* --- the client's own judgement */

static const struct finding *first_fatal(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].fatal)
            return &f->items[i];
    return NULL;
}

static enum errc refuse(const struct verdict *v, struct err *err)
{
    const struct finding *f = first_fatal(&v->report.findings);
    if (f == NULL && v->n_sigs > 0)
        f = first_fatal(&v->sigs[0]->findings);
    if (f == NULL)
        return err_set(err, E_REFUSED, "the signature does not prove all that surefoot demands");
    return err_set(err, E_REFUSED, "surefoot would refuse the signature, so it is not kept: %s: %s",
                   reason_word(f->reason), f->text);
}

static enum errc check_own(const struct signer *s, struct source *content, struct span signature,
                           struct err *err)
{
    struct verdict v = { .outcome = OUTCOME_NONE };
    enum errc rc = detached_judge(content, signature, &s->policy, &v, err);
    if (rc == E_OK) {
        verdict_settle(&v, &s->policy);
        if (v.outcome != OUTCOME_ACCEPTED)
            rc = refuse(&v, err);
    }
    verdict_fini(&v);
    return rc;
}

enum errc signer_sign(struct signer *s, struct source *content, const char *trusted_comment,
                      struct buf *out_signature, struct err *err)
{
    char room[64];
    const char *comment;
    size_t before = out_signature->len;
    s->policy.now = s->platform->host->now(s->platform->self);
    enum errc rc = choose_comment(s, trusted_comment, room, sizeof(room), &comment, err);
    if (rc == E_OK)
        rc = s->ops->make(s, content, comment, out_signature, err);
    if (rc == E_OK)
        rc = check_own(s, content,
                       span_of(out_signature->ptr + before, out_signature->len - before), err);
    if (rc != E_OK)
        out_signature->len = before;
    return rc;
}

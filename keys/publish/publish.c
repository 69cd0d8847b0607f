#include "keys/publish/publish.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HELP_MAX (64 * 1024)

static const struct opt_spec common_specs[] = {
    { "format", "text|json", "how to report (default: text)", 0 },
    { "quiet", NULL, "say only what went wrong", 'q' },
    { "verbose", NULL, "say more of what was done", 'v' },
    { "help", NULL, "this text", 'h' },
};

struct reading {
    struct publish *p;
    opt_fn take;
    void *ctx;
};

static enum errc set_format(struct publish *p, const char *value, struct err *err)
{
    if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
        return err_set(err, E_ARGUMENT, "--format is text or json");
    p->format = value[0] == 'j' ? PUBLISH_JSON : PUBLISH_TEXT;
    return E_OK;
}

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct reading *r = ctx;
    if (strcmp(name, "format") == 0)
        return set_format(r->p, value, err);
    if (strcmp(name, "quiet") == 0)
        r->p->quiet = true;
    else if (strcmp(name, "verbose") == 0)
        r->p->verbose = true;
    else if (strcmp(name, "help") == 0)
        r->p->wants_help = true;
    else
        return r->take(r->ctx, name, value, err);
    return E_OK;
}

enum errc publish_read(struct publish *p, const struct publish_syntax *syntax, int argc,
                       char **argv, void *ctx, size_t *out_n_words, struct err *err)
{
    struct opt_spec specs[PUBLISH_OPTIONS_MAX];
    struct reading reading = { p, syntax->take, ctx };
    size_t n = 0;
    if (syntax->n_specs > PUBLISH_OPTIONS_MAX - ARRAY_LEN(common_specs))
        return err_set(err, E_INTERNAL, "more than %d options", PUBLISH_OPTIONS_MAX);
    for (size_t i = 0; i < syntax->n_specs; i++)
        specs[n++] = syntax->specs[i];
    for (size_t i = 0; i < ARRAY_LEN(common_specs); i++)
        specs[n++] = common_specs[i];
    enum errc rc = opt_read(specs, n, argc, argv, take_option, &reading, out_n_words, err);
    if (rc == E_OK && !p->wants_help)
        rc = syntax->check(ctx, *out_n_words, argv, err);
    p->line_makes_sense = rc == E_OK;
    return rc;
}

enum publish_exit publish_help(struct publish *p, const struct publish_syntax *syntax)
{
    struct buf page;
    struct err err = { .code = E_OK };
    buf_init(&page, HELP_MAX);
    enum errc rc = buf_printf(&page, &err, "usage: %s\n\noptions:\n", syntax->usage);
    if (rc == E_OK)
        rc = opt_help(syntax->specs, syntax->n_specs, &page, &err);
    if (rc == E_OK)
        rc = opt_help(common_specs, ARRAY_LEN(common_specs), &page, &err);
    if (rc == E_OK && syntax->notes != NULL)
        rc = buf_printf(&page, &err, "\n%s\n", syntax->notes);
    if (rc == E_OK)
        rc = publish_write(&page, &err);
    buf_fini(&page);
    return rc == E_OK ? PUBLISH_DONE : publish_fail(p, &err);
}

enum publish_exit publish_fail(const struct publish *p, const struct err *err)
{
    (void)fprintf(stderr, "surefoot-publish %s: %s\n", p->command, err->text);
    if (err->code == E_ARGUMENT && !p->line_makes_sense)
        (void)fprintf(stderr, "See: surefoot-publish %s --help\n", p->command);
    switch (err->code) {
    case E_ARGUMENT: return PUBLISH_USAGE;
    case E_REFUSED: return PUBLISH_REFUSED;
    default: return PUBLISH_FAILED;
    }
}

void publish_warn(const struct publish *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fprintf(stderr, "surefoot-publish %s: warning: ", p->command);
    (void)vfprintf(stderr, fmt, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
}

enum publish_exit publish_worse(enum publish_exit a, enum publish_exit b)
{
    if (a == PUBLISH_DONE || b == PUBLISH_DONE)
        return a == PUBLISH_DONE ? b : a;
    return a < b ? a : b;
}

enum errc publish_write(const struct buf *b, struct err *err)
{
    if (b->len > 0 && fwrite(b->ptr, 1, b->len, stdout) != b->len)
        return err_set(err, E_IO, "cannot write to standard output");
    if (fflush(stdout) != 0)
        return err_set(err, E_IO, "cannot write to standard output");
    return E_OK;
}

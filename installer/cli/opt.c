#include "installer/cli/opt.h"

#include <string.h>

#include "platform/base/buf.h"
#include "platform/base/text.h"

static const struct opt_spec *find_long(const struct opt_spec *specs, size_t n, const char *name,
                                        size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(specs[i].name) == len && memcmp(specs[i].name, name, len) == 0)
            return &specs[i];
    return NULL;
}

static const struct opt_spec *find_short(const struct opt_spec *specs, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (specs[i].letter != 0 && specs[i].letter == letter)
            return &specs[i];
    return NULL;
}

static enum errc unknown(const char *word, struct err *err)
{
    char shown[80];
    text_printable(span_text(word), shown, sizeof(shown));
    return err_set(err, E_ARGUMENT, "unknown option %s", shown);
}

struct cursor {
    int argc;
    char **argv;
    int i;
};

static enum errc take_value(struct cursor *c, const struct opt_spec *spec, const char *inline_value,
                            const char **out_value, struct err *err)
{
    *out_value = inline_value;
    if (spec->value == NULL)
        return inline_value == NULL ? E_OK
                                    : err_set(err, E_ARGUMENT, "--%s takes no value", spec->name);
    if (inline_value == NULL && c->i + 1 < c->argc)
        *out_value = c->argv[++c->i];
    if (*out_value == NULL)
        return err_set(err, E_ARGUMENT, "--%s wants %s after it", spec->name, spec->value);
    if ((*out_value)[0] == '\0')
        return err_set(err, E_ARGUMENT, "--%s wants %s, and got nothing", spec->name, spec->value);
    return E_OK;
}

enum errc opt_read(const struct opt_spec *specs, size_t n_specs, int argc, char **argv, opt_fn fn,
                   void *ctx, size_t *out_n_words, struct err *err)
{
    size_t n_words = 0;
    bool options_end = false;
    struct cursor c = { argc, argv, 0 };
    for (; c.i < argc; c.i++) {
        char *word = argv[c.i];
        const struct opt_spec *spec;
        const char *inline_value = NULL;
        if (options_end || word[0] != '-' || word[1] == '\0') {
            argv[n_words++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            options_end = true;
            continue;
        }
        if (word[1] == '-') {
            const char *equals = strchr(word, '=');
            size_t len = equals == NULL ? strlen(word + 2) : (size_t)(equals - word - 2);
            inline_value = equals == NULL ? NULL : equals + 1;
            spec = find_long(specs, n_specs, word + 2, len);
        } else {
            spec = word[2] == '\0' ? find_short(specs, n_specs, word[1]) : NULL;
        }
        if (spec == NULL)
            return unknown(word, err);
        const char *value;
        enum errc rc = take_value(&c, spec, inline_value, &value, err);
        if (rc == E_OK)
            rc = fn(ctx, spec->name, value, err);
        if (rc != E_OK)
            return rc;
    }
    *out_n_words = n_words;
    return E_OK;
}

enum errc opt_help(const struct opt_spec *specs, size_t n_specs, struct buf *out, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < n_specs && rc == E_OK; i++) {
        char left[64];
        size_t used = strlen(text_copy(left, sizeof(left), specs[i].name));
        if (specs[i].value != NULL) {
            left[used++] = ' ';
            (void)text_copy(left + used, sizeof(left) - used, specs[i].value);
        }
        rc = buf_printf(out, err, "  --%-32s %s\n", left, specs[i].help);
    }
    return rc;
}

#include <string.h>

#include "installer/core/preflight_private.h"
#include "installer/core/setting.h"
#include "platform/base/text.h"

static bool is_among(const struct check_text *texts, size_t n, const char *value)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(texts[i].text, value) == 0)
            return true;
    return false;
}

/* What is wrong; NULL: nothing. The value itself is not said: it may be a secret. */
static const char *find_wrong(const struct check_setting *check, bool is_there, const char *value)
{
    if (check->is_present)
        return is_there ? NULL : "is not there, and must be";
    if (check->is_absent)
        return is_there ? "is there, and must not be" : NULL;
    if (check->equals.n > 0 && !is_there)
        return "is not there, and must have a value that the product file names";
    if (check->equals.n > 0 && !is_among(check->equals.items, check->equals.n, value))
        return "has another value than those that the product file names";
    if (is_there && is_among(check->unequal.items, check->unequal.n, value))
        return "has a value that the product file excludes";
    return NULL;
}

enum errc preflight_setting(const struct preflight_row_ask *row, struct err *err)
{
    const struct check_setting *check = &row->check->of.setting;
    const struct product_setting *place = &check->place;
    char value[SETTING_VALUE_MAX + 1] = "", file[120], key[80];
    struct err why = { .code = E_OK };
    bool is_there = false;
    enum errc rc = setting_get(row->ask->setup, place, value, &is_there, &why);
    if (rc == E_NOMEM)
        return err_nomem(err);
    if (rc != E_OK)
        return preflight_add(row->out, CHECK_SETTING, "", "%s", why.text);
    const char *wrong = find_wrong(check, is_there, value);
    if (wrong == NULL)
        return E_OK;
    return preflight_add(
        row->out, CHECK_SETTING, row->check->result, "the setting %s in %s %s",
        text_printable(span_text(place->key != NULL ? place->key : place->value), key, sizeof(key)),
        text_printable(span_text(place->file != NULL ? place->file : place->registry), file,
                       sizeof(file)),
        wrong);
}

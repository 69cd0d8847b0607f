#include "manifest/product_private.h"

#include "platform/base/text.h"

const char *const setting_format_words[] = { "ini", "xml", "json", NULL };

void product_setting_begin(struct product_setting *setting)
{
    setting->format = -1;
}

static enum errc check_file(const struct product_setting *s, struct err *err)
{
    if (s->format < 0)
        return err_set(err, E_MALFORMED, "the file has no format: say ini, xml or json");
    if (s->key == NULL)
        return err_set(err, E_MALFORMED, "the file has no key: say which of its settings is meant");
    if (s->value != NULL)
        return err_set(err, E_MALFORMED, "\"value\" is of the registry; in a file say \"key\"");
    return E_OK;
}

static enum errc check_registry(const struct product_setting *s, struct err *err)
{
    struct span key = span_text(s->registry);
    if (!span_starts_with(key, span_text("HKLM\\")) && !span_starts_with(key, span_text("HKU\\")))
        return err_set(err, E_MALFORMED, "the registry key does not begin with HKLM\\ or HKU\\");
    if (s->value == NULL)
        return err_set(err, E_MALFORMED, "the registry key has no value: name it");
    if (s->format >= 0 || s->key != NULL)
        return err_set(err, E_MALFORMED,
                       "\"format\" and \"key\" are of files; in the registry say \"value\"");
    return E_OK;
}

enum errc product_setting_check(const struct product_setting *s, struct err *err)
{
    if (s->file != NULL && s->registry != NULL)
        return err_set(err, E_MALFORMED, "is in a file and in the registry: say one of them");
    if (s->file == NULL && s->registry == NULL)
        return err_set(err, E_MALFORMED, "is nowhere: say \"file\" or \"registry\"");
    return s->file != NULL ? check_file(s, err) : check_registry(s, err);
}

#include "platform/native.h"

static enum errc none(struct err *err)
{
    return err_set(err, E_UNSUPPORTED, "the registry is of Windows; this system has none");
}

static enum errc registry_get(void *self, const char *key, const char *value, char *to, size_t room,
                              bool *out_found, struct err *err)
{
    UNUSED(self);
    UNUSED(key);
    UNUSED(value);
    UNUSED(to);
    UNUSED(room);
    UNUSED(out_found);
    return none(err);
}

static enum errc registry_set(void *self, const char *key, const char *value, const char *text,
                              struct err *err)
{
    UNUSED(self);
    UNUSED(key);
    UNUSED(value);
    UNUSED(text);
    return none(err);
}

static enum errc registry_remove(void *self, const char *key, const char *value, struct err *err)
{
    UNUSED(self);
    UNUSED(key);
    UNUSED(value);
    return none(err);
}

static enum errc registry_can_write(void *self, const char *key, bool *out_can, struct err *err)
{
    UNUSED(self);
    UNUSED(key);
    UNUSED(out_can);
    return none(err);
}

const struct registry_ops native_registry_ops = { .get = registry_get,
                                                  .set = registry_set,
                                                  .remove = registry_remove,
                                                  .can_write = registry_can_write };

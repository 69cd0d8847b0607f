/* A registry: a list of values. What is written there lasts. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"

static struct mock_value *find(const struct mock *m, const char *key, const char *value)
{
    for (size_t i = 0; i < m->n_values; i++)
        if (strcasecmp(m->values[i].key, key) == 0 && strcasecmp(m->values[i].name, value) == 0)
            return &m->values[i];
    return NULL;
}

void mock_set_value(struct mock *m, const char *key, const char *value, const char *text)
{
    struct mock_value *there = find(m, key, value);
    if (there == NULL && text != NULL) {
        m->values = mock_grow(m->values, m->n_values, &m->room_values, sizeof(m->values[0]));
        there = &m->values[m->n_values++];
        *there = (struct mock_value){ .key = mock_text(key), .name = mock_text(value) };
    }
    if (there == NULL)
        return;
    free(there->text);
    there->text = text == NULL ? NULL : mock_text(text);
}

void mock_set_key_denied(struct mock *m, const char *key, bool is_denied)
{
    mock_set_fact(&m->denied_keys, key, is_denied);
}

void mock_registry_fini(struct mock *m)
{
    for (size_t i = 0; i < m->n_values; i++) {
        free(m->values[i].key);
        free(m->values[i].name);
        free(m->values[i].text);
    }
    free(m->values);
}

static enum errc check_is_there(const struct mock *m, const char *key, struct err *err)
{
    if (!m->is_windows)
        return err_set(err, E_UNSUPPORTED, "this system has no registry");
    if (strncasecmp(key, "HKLM\\", 5) != 0 && strncasecmp(key, "HKU\\", 4) != 0)
        return err_set(err, E_ARGUMENT, "does not begin with HKLM\\ or HKU\\");
    return E_OK;
}

static enum errc registry_get(void *self, const char *key, const char *value, char *to, size_t room,
                              bool *out_found, struct err *err)
{
    enum errc rc = check_is_there(self, key, err);
    if (rc != E_OK)
        return rc;
    const struct mock_value *there = find(self, key, value);
    *out_found = there != NULL && there->text != NULL;
    if (!*out_found)
        return E_OK;
    if (strlen(there->text) >= room)
        return err_set(err, E_LIMIT, "is a longer text than is read");
    (void)text_copy(to, room, there->text);
    return E_OK;
}

static enum errc change(struct mock *m, const char *key, const char *value, const char *text,
                        const char *what, struct err *err)
{
    bool is_ignored = false;
    enum errc rc = check_is_there(m, key, err);
    if (rc == E_OK && mock_fact(&m->denied_keys, key))
        rc = err_set(err, E_ACCESS, "that key may not be written");
    if (rc == E_OK)
        rc = fault_ask(m->disk.plan, FAULT_CHANGE, what, key, &is_ignored, err);
    if (rc == E_OK && !is_ignored)
        mock_set_value(m, key, value, text);
    return rc;
}

static enum errc registry_set(void *self, const char *key, const char *value, const char *text,
                              struct err *err)
{
    return change(self, key, value, text, "set_value", err);
}

static enum errc registry_remove(void *self, const char *key, const char *value, struct err *err)
{
    return change(self, key, value, NULL, "remove_value", err);
}

static enum errc registry_can_write(void *self, const char *key, bool *out_can, struct err *err)
{
    struct mock *m = self;
    enum errc rc = check_is_there(m, key, err);
    if (rc == E_OK)
        *out_can = !mock_fact(&m->denied_keys, key);
    return rc;
}

const struct registry_ops mock_registry_ops = { .get = registry_get,
                                                .set = registry_set,
                                                .remove = registry_remove,
                                                .can_write = registry_can_write };

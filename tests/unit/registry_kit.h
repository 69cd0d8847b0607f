#ifndef SUREFOOT_TESTS_REGISTRY_KIT_H
#define SUREFOOT_TESTS_REGISTRY_KIT_H

/* registry_kit.h: a machine that has a registry of a few values, named mutexes and groups by SID:
 * the native one with these tables in place of its own. What they answer is the test's to say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "platform/platform.h"

struct told_value {
    char key[120], name[40], text[256];
    bool is_there, is_number, is_binary;
};

static struct {
    struct told_value values[4];
    enum errc get, set, remove, can_write; /* what each ends with */
    bool set_is_done;                      /* though it says that it failed */
    bool is_read_only;
    int n_written; /* sets and removes that were done */
    const char *sid, *mutex;
    bool exists, is_held;
    enum errc asked; /* what both end with */
} told_machine;

static inline enum errc told_end(enum errc code, struct err *err)
{
    return code == E_OK ? E_OK : err_set(err, code, "the test says so");
}

static inline struct told_value *told_find(const char *key, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(told_machine.values); i++) {
        struct told_value *v = &told_machine.values[i];
        if (v->is_there && strcasecmp(v->key, key) == 0 && strcasecmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

/* told_put is how the rest of the machine writes: nothing is asked, nothing is counted. */
static inline struct told_value *told_put(const char *key, const char *name, const char *text)
{
    struct told_value *v = told_find(key, name);
    for (size_t i = 0; v == NULL && i < ARRAY_LEN(told_machine.values); i++)
        if (!told_machine.values[i].is_there)
            v = &told_machine.values[i];
    assert_non_null(v);
    v->is_there = true;
    (void)snprintf(v->key, sizeof(v->key), "%s", key);
    (void)snprintf(v->name, sizeof(v->name), "%s", name);
    (void)snprintf(v->text, sizeof(v->text), "%s", text);
    return v;
}

static inline enum errc told_get(void *self, const char *key, const char *value, char *to,
                                 size_t room, bool *out_found, struct err *err)
{
    const struct told_value *v = told_find(key, value);
    UNUSED(self);
    if (told_machine.get != E_OK)
        return told_end(told_machine.get, err);
    if (v != NULL && v->is_binary)
        return err_set(err, E_MALFORMED, "the value is of kind 3");
    if (v != NULL && strlen(v->text) >= room)
        return err_set(err, E_LIMIT, "the value is too long");
    *out_found = v != NULL;
    if (v != NULL)
        (void)snprintf(to, room, "%s", v->text);
    return E_OK;
}

static inline enum errc told_set(void *self, const char *key, const char *value, const char *text,
                                 struct err *err)
{
    const struct told_value *v = told_find(key, value);
    UNUSED(self);
    if (told_machine.is_read_only)
        return err_set(err, E_ACCESS, "may not be written");
    if (v != NULL && v->is_binary)
        return err_set(err, E_MALFORMED, "the value is of kind 3");
    if (v != NULL && v->is_number &&
        (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)))
        return err_set(err, E_ARGUMENT, "the value is a number");
    if (told_machine.set == E_OK || told_machine.set_is_done) {
        (void)told_put(key, value, text);
        told_machine.n_written++;
    }
    return told_end(told_machine.set, err);
}

static inline enum errc told_remove(void *self, const char *key, const char *value, struct err *err)
{
    struct told_value *v = told_find(key, value);
    UNUSED(self);
    if (told_machine.remove != E_OK)
        return told_end(told_machine.remove, err);
    if (v != NULL && told_machine.is_read_only)
        return err_set(err, E_ACCESS, "may not be removed");
    if (v != NULL) {
        *v = (struct told_value){ .is_there = false };
        told_machine.n_written++;
    }
    return E_OK;
}

static inline enum errc told_can_write(void *self, const char *key, bool *out_can, struct err *err)
{
    UNUSED(self);
    assert_non_null(key);
    *out_can = !told_machine.is_read_only;
    return told_end(told_machine.can_write, err);
}

static inline enum errc told_sid(void *self, const char *sid, bool *out_exists, struct err *err)
{
    UNUSED(self);
    told_machine.sid = sid;
    *out_exists = told_machine.exists;
    return told_end(told_machine.asked, err);
}

static inline enum errc told_mutex(void *self, const char *name, bool *out_held, struct err *err)
{
    UNUSED(self);
    told_machine.mutex = name;
    *out_held = told_machine.is_held;
    return told_end(told_machine.asked, err);
}

/* told_begin: an empty registry; the machine is valid until the next call. */
static inline struct platform *told_begin(void)
{
    static const struct registry_ops registry = { told_get, told_set, told_remove, told_can_write };
    static struct host_ops host;
    static struct platform machine;
    memset(&told_machine, 0, sizeof(told_machine));
    machine = *platform_native();
    host = *machine.host;
    host.sid_exists = told_sid;
    host.mutex_held = told_mutex;
    machine.host = &host;
    machine.registry = &registry;
    return &machine;
}

#endif

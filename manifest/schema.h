#ifndef SUREFOOT_MANIFEST_SCHEMA_H
#define SUREFOOT_MANIFEST_SCHEMA_H

/* schema.h: the form of a document as a table, and the one reader that every document shares. The
 * tables say the same as the .rng files beside them; a test holds the two against each other.
 *
 * Each element has a record (a struct of the caller's), and its attributes and text are fields in
 * it. Elements may stand in any order, each as often as its table says. Refused: an element or
 * attribute that the table does not know, one too many, one missing, text where none belongs, and
 * every value that is not of its type, each with line and cause. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifest/arena.h"
#include "manifest/version.h"
#include "platform/base/cc.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

/* What a value is and, after the colon, the type of its field. */
enum value_type {
    VALUE_TEXT,     /* text for people: const char * */
    VALUE_ARGUMENT, /* any one line that is not empty; what it means is found out where it is used:
                       const char * */
    VALUE_NAME,     /* value_check_name: const char * */
    VALUE_PATH,     /* path_check, a path inside the tree: const char * */
    VALUE_URL,      /* value_check_url: const char * */
    VALUE_GUID,     /* value_check_guid: const char * */
    VALUE_WORD,     /* one of `words`: int, its place */
    VALUE_WORDS,    /* some of `words`, each once, one space between: uint32_t, a bit a word */
    VALUE_FLAG,     /* "true" or "false": bool */
    VALUE_NUMBER,   /* uint64_t */
    VALUE_SIZE,     /* bytes: uint64_t */
    VALUE_DURATION, /* seconds: int64_t */
    VALUE_TIME,     /* seconds since 1970: int64_t */
    VALUE_MODE,     /* permission bits: uint32_t */
    VALUE_SHA256,   /* uint8_t[32] */
    VALUE_VERSION,  /* struct version */
    VALUE_VERSION_PATTERN, /* struct version_pattern */
};

struct schema_value {
    const char *name; /* the attribute's; NULL: the element's text */
    enum value_type type;
    bool is_required;
    size_t at;                /* of the field in the element's record */
    const char *const *words; /* VALUE_WORD and VALUE_WORDS, ended by NULL */
    uint64_t min, max;        /* of NUMBER, SIZE, DURATION; max 0: none */
};

/* Lines of a table of values: those that must be there and those that may. What follows the field
 * is .words, .min or .max. */
#define SCHEMA_MUST(name_, type_, record_, field_, ...)                                            \
    {                                                                                              \
        .name = name_, .type = type_, .is_required = true, .at = offsetof(record_, field_),        \
        __VA_ARGS__                                                                                \
    }
#define SCHEMA_MAY(name_, type_, record_, field_, ...)                                             \
    {                                                                                              \
        .name = name_, .type = type_, .at = offsetof(record_, field_), __VA_ARGS__                 \
    }
#define SCHEMA_VALUES(table) .values = table, .n_values = ARRAY_LEN(table)

/* Where an element's record is. */
enum schema_store {
    STORE_IN_PARENT, /* it has none of its own: its fields are in its parent's record */
    STORE_FIELD,     /* a field of its parent's, at `at` */
    STORE_LIST,      /* a new item, zeroed, of the LIST_OF in its parent's record, at `at` */
};

#define LIST_OF(type)                                                                              \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t n, n_room;                                                                          \
    }

struct schema_element {
    const char *name;
    const struct schema_value *values;
    size_t n_values;
    const struct schema_element *const *children; /* ended by NULL; NULL: none */
    size_t min, max;                              /* how often it stands in its parent */
    enum schema_store store;
    size_t at;
    size_t record_size; /* STORE_LIST */
    /* Called before the values are read: fills in what holds where nothing is said. May be NULL. */
    void (*begin)(void *record);
    /* Called when the element ends: what one value alone cannot say. May be NULL. */
    enum errc (*check)(void *record, struct err *err);
};

#define SCHEMA_CHILDREN_MAX 32
#define SCHEMA_VALUES_MAX 64
#define SCHEMA_LIST_MAX 1000000

/* schema_read reads a document of namespace `ns` and root element `root` into `record` (zeroed by
 * the caller), allocating from `arena`. E_MALFORMED, E_LIMIT past `cap` bytes or the arena's. */
MUST_USE enum errc schema_read(struct span bytes, size_t cap, const char *ns,
                               const struct schema_element *root, void *record, struct arena *arena,
                               struct err *err);

#endif

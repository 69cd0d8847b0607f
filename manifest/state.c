#include "manifest/state.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/xml_out.h"
#include "platform/base/text.h"

#define ARENA_MAX (4 * 1024 * 1024)

const char *const state_words[] = { "enabled", "suspended", "disabled", NULL };
const char *const state_switch_words[] = { "none", "exchange", "pointer", "msi", NULL };

/* --- the table, as state.rng has it: texts lie in an arena while the document is read */

struct read_mark {
    const char *key;
    uint64_t serial;
    int64_t issued;
};

struct read_kept {
    struct version version;
    const char *tree;
    int64_t since;
};

struct reading {
    const char *product, *reason, *last_result, *tree;
    int word, switch_mode;
    bool is_set;
    int64_t since, looked, last_time, waiting_since;
    struct version installed, last_version, waiting_version;
    LIST_OF(struct read_mark) marks;
    LIST_OF(struct state_seen) seen;
    LIST_OF(struct state_hold) holds;
    LIST_OF(struct read_kept) kept;
};

static enum errc check_tree(const char *tree, struct err *err)
{
    size_t len = strlen(tree);
    if (len >= STATE_TREE_ROOM || tree[0] == '.' ||
        strspn(tree, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != len)
        return err_set(err, E_MALFORMED, "names a tree as none is called");
    return E_OK;
}

static const struct schema_value look_values[] = {
    SCHEMA_MUST("time", VALUE_TIME, struct reading, looked),
};
static const struct schema_element look = { .name = "look", SCHEMA_VALUES(look_values), .max = 1 };

static const struct schema_value last_values[] = {
    SCHEMA_MUST("version", VALUE_VERSION, struct reading, last_version),
    SCHEMA_MUST("result", VALUE_TEXT, struct reading, last_result),
    SCHEMA_MUST("time", VALUE_TIME, struct reading, last_time),
};
static const struct schema_element last = { .name = "last", SCHEMA_VALUES(last_values), .max = 1 };

static enum errc check_mark(void *record, struct err *err)
{
    const struct read_mark *mark = record;
    if (strlen(mark->key) >= STATE_KEY_ROOM)
        return err_set(err, E_MALFORMED, "names a key by more than %d characters",
                       STATE_KEY_ROOM - 1);
    return E_OK;
}

static const struct schema_value mark_values[] = {
    SCHEMA_MUST("key", VALUE_TEXT, struct read_mark, key),
    SCHEMA_MUST("serial", VALUE_NUMBER, struct read_mark, serial, .min = 1),
    SCHEMA_MUST("issued", VALUE_TIME, struct read_mark, issued),
};
static const struct schema_element mark = { .name = "mark",
                                            SCHEMA_VALUES(mark_values),
                                            .max = STATE_MARKS_MAX,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct reading, marks),
                                            .record_size = sizeof(struct read_mark),
                                            .check = check_mark };

static const struct schema_value seen_values[] = {
    SCHEMA_MUST("version", VALUE_VERSION, struct state_seen, version),
    SCHEMA_MUST("first", VALUE_TIME, struct state_seen, first),
};
static const struct schema_element seen = { .name = "seen",
                                            SCHEMA_VALUES(seen_values),
                                            .max = STATE_SEEN_MAX,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct reading, seen),
                                            .record_size = sizeof(struct state_seen) };

static const struct schema_value hold_values[] = {
    SCHEMA_MUST("version", VALUE_VERSION, struct state_hold, version),
    SCHEMA_MUST("since", VALUE_TIME, struct state_hold, since),
};
static const struct schema_element hold = { .name = "hold",
                                            SCHEMA_VALUES(hold_values),
                                            .max = STATE_HOLDS_MAX,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct reading, holds),
                                            .record_size = sizeof(struct state_hold) };

static enum errc check_kept(void *record, struct err *err)
{
    return check_tree(((const struct read_kept *)record)->tree, err);
}

static const struct schema_value kept_values[] = {
    SCHEMA_MUST("version", VALUE_VERSION, struct read_kept, version),
    SCHEMA_MUST("tree", VALUE_TEXT, struct read_kept, tree),
    SCHEMA_MUST("since", VALUE_TIME, struct read_kept, since),
};
static const struct schema_element kept_element = { .name = "kept",
                                            SCHEMA_VALUES(kept_values),
                                            .max = STATE_KEPT_MAX,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct reading, kept),
                                            .record_size = sizeof(struct read_kept),
                                            .check = check_kept };

static const struct schema_value waiting_values[] = {
    SCHEMA_MUST("version", VALUE_VERSION, struct reading, waiting_version),
    SCHEMA_MUST("since", VALUE_TIME, struct reading, waiting_since),
};
static const struct schema_element waiting = { .name = "waiting",
                                               SCHEMA_VALUES(waiting_values),
                                               .max = 1 };

static enum errc check_state(void *record, struct err *err)
{
    const struct reading *r = record;
    return r->tree == NULL ? E_OK : check_tree(r->tree, err);
}

static const struct schema_value state_values[] = {
    SCHEMA_MUST("product", VALUE_NAME, struct reading, product),
    SCHEMA_MUST("word", VALUE_WORD, struct reading, word, .words = state_words),
    SCHEMA_MAY("reason", VALUE_TEXT, struct reading, reason),
    SCHEMA_MUST("since", VALUE_TIME, struct reading, since),
    SCHEMA_MAY("installed", VALUE_VERSION, struct reading, installed),
    SCHEMA_MAY("set", VALUE_FLAG, struct reading, is_set),
    SCHEMA_MAY("tree", VALUE_TEXT, struct reading, tree),
    SCHEMA_MAY("switch", VALUE_WORD, struct reading, switch_mode, .words = state_switch_words),
};
static const struct schema_element *const state_children[] = { &look, &last, &mark,    &seen,
                                                               &hold, &kept_element, &waiting, NULL };
static const struct schema_element root = {
    .name = "state", SCHEMA_VALUES(state_values), .children = state_children, .check = check_state
};

/* --- reading */

static void take_lists(const struct reading *r, struct upgrade_state *s)
{
    for (s->n_marks = 0; s->n_marks < r->marks.n; s->n_marks++) {
        const struct read_mark *from = &r->marks.items[s->n_marks];
        struct state_mark *to = &s->marks[s->n_marks];
        text_copy(to->key, sizeof(to->key), from->key);
        to->serial = from->serial;
        to->issued = from->issued;
    }
    for (s->n_seen = 0; s->n_seen < r->seen.n; s->n_seen++)
        s->seen[s->n_seen] = r->seen.items[s->n_seen];
    for (s->n_holds = 0; s->n_holds < r->holds.n; s->n_holds++)
        s->holds[s->n_holds] = r->holds.items[s->n_holds];
    for (s->n_kept = 0; s->n_kept < r->kept.n; s->n_kept++) {
        const struct read_kept *from = &r->kept.items[s->n_kept];
        struct state_kept *to = &s->kept[s->n_kept];
        to->version = from->version;
        to->since = from->since;
        text_copy(to->tree, sizeof(to->tree), from->tree);
    }
}

static void take(const struct reading *r, struct upgrade_state *s)
{
    *s = (struct upgrade_state){
        .word = r->word,
        .since = r->since,
        .has_installed = r->installed.text[0] != '\0',
        .installed = r->installed,
        .looked = r->looked,
        .has_last = r->last_result != NULL,
        .last_version = r->last_version,
        .last_time = r->last_time,
        .is_set = r->is_set,
        .switch_mode = r->switch_mode,
        .has_waiting = r->waiting_since != 0,
        .waiting_version = r->waiting_version,
        .waiting_since = r->waiting_since,
    };
    if (r->tree != NULL)
        text_copy(s->tree, sizeof(s->tree), r->tree);
    text_copy(s->product, sizeof(s->product), r->product);
    if (r->reason != NULL)
        text_copy(s->reason, sizeof(s->reason), r->reason);
    if (r->last_result != NULL)
        text_copy(s->last_result, sizeof(s->last_result), r->last_result);
    take_lists(r, s);
}

enum errc state_read(struct span bytes, struct upgrade_state *out, struct err *err)
{
    struct reading r = { .product = NULL };
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    enum errc rc = schema_read(bytes, STATE_BYTES_MAX, STATE_NS, &root, &r, &arena, err);
    if (rc == E_OK)
        take(&r, out);
    arena_fini(&arena);
    return rc;
}

/* --- writing */

static void put_version(struct xml_out *x, const char *name, const struct version *v)
{
    xml_out_attr_text(x, name, v->text);
}

static void put_attempt(struct xml_out *x, const struct upgrade_state *s)
{
    if (s->looked != 0) {
        xml_out_start(x, "look");
        xml_out_attr_time(x, "time", s->looked);
        xml_out_end(x);
    }
    if (!s->has_last)
        return;
    xml_out_start(x, "last");
    put_version(x, "version", &s->last_version);
    xml_out_attr_text(x, "result", s->last_result);
    xml_out_attr_time(x, "time", s->last_time);
    xml_out_end(x);
}

static void put_lists(struct xml_out *x, const struct upgrade_state *s)
{
    for (size_t i = 0; i < s->n_marks; i++) {
        xml_out_start(x, "mark");
        xml_out_attr_text(x, "key", s->marks[i].key);
        xml_out_attr_number(x, "serial", s->marks[i].serial);
        xml_out_attr_time(x, "issued", s->marks[i].issued);
        xml_out_end(x);
    }
    for (size_t i = 0; i < s->n_seen; i++) {
        xml_out_start(x, "seen");
        put_version(x, "version", &s->seen[i].version);
        xml_out_attr_time(x, "first", s->seen[i].first);
        xml_out_end(x);
    }
    for (size_t i = 0; i < s->n_holds; i++) {
        xml_out_start(x, "hold");
        put_version(x, "version", &s->holds[i].version);
        xml_out_attr_time(x, "since", s->holds[i].since);
        xml_out_end(x);
    }
    for (size_t i = 0; i < s->n_kept; i++) {
        xml_out_start(x, "kept");
        put_version(x, "version", &s->kept[i].version);
        xml_out_attr_text(x, "tree", s->kept[i].tree);
        xml_out_attr_time(x, "since", s->kept[i].since);
        xml_out_end(x);
    }
    if (s->has_waiting) {
        xml_out_start(x, "waiting");
        put_version(x, "version", &s->waiting_version);
        xml_out_attr_time(x, "since", s->waiting_since);
        xml_out_end(x);
    }
}

static void put_state(struct xml_out *x, const struct upgrade_state *s)
{
    xml_out_start(x, "state");
    xml_out_attr_text(x, "xmlns", STATE_NS);
    xml_out_attr_text(x, "product", s->product);
    xml_out_attr_text(x, "word", state_words[s->word]);
    if (s->reason[0] != '\0')
        xml_out_attr_text(x, "reason", s->reason);
    xml_out_attr_time(x, "since", s->since);
    if (s->has_installed)
        put_version(x, "installed", &s->installed);
    if (s->is_set)
        xml_out_attr_text(x, "set", "true");
    if (s->tree[0] != '\0')
        xml_out_attr_text(x, "tree", s->tree);
    if (s->switch_mode != STATE_SWITCH_NONE)
        xml_out_attr_text(x, "switch", state_switch_words[s->switch_mode]);
    put_attempt(x, s);
    put_lists(x, s);
    xml_out_end(x);
}

/* What was written must read. */
static enum errc check_back(struct span bytes, struct err *err)
{
    struct upgrade_state *again = malloc(sizeof(*again));
    enum errc rc = again == NULL ? err_nomem(err) : state_read(bytes, again, err);
    free(again);
    return rc;
}

enum errc state_write(const struct upgrade_state *s, struct buf *out, struct err *err)
{
    struct xml_out x;
    size_t at = out->len;
    xml_out_init(&x, out);
    put_state(&x, s);
    enum errc rc = xml_out_finish(&x, err);
    if (rc == E_OK)
        rc = check_back(span_sub(buf_span(out), at, out->len), err);
    if (rc != E_OK)
        out->len = at;
    return rc;
}

/* --- what is remembered of releases */

int64_t state_first_seen(struct upgrade_state *s, const struct version *v, int64_t now)
{
    for (size_t i = 0; i < s->n_seen; i++)
        if (version_compare(&s->seen[i].version, v) == 0)
            return s->seen[i].first;
    if (s->n_seen == STATE_SEEN_MAX) {
        memmove(&s->seen[0], &s->seen[1], (STATE_SEEN_MAX - 1) * sizeof(s->seen[0]));
        s->n_seen--;
    }
    s->seen[s->n_seen++] = (struct state_seen){ *v, now };
    return now;
}

bool state_is_on_hold(const struct upgrade_state *s, const struct version *v)
{
    for (size_t i = 0; i < s->n_holds; i++)
        if (version_compare(&s->holds[i].version, v) == 0)
            return true;
    return false;
}

void state_set_hold(struct upgrade_state *s, const struct version *v, int64_t now)
{
    if (state_is_on_hold(s, v))
        return;
    if (s->n_holds == STATE_HOLDS_MAX) {
        memmove(&s->holds[0], &s->holds[1], (STATE_HOLDS_MAX - 1) * sizeof(s->holds[0]));
        s->n_holds--;
    }
    s->holds[s->n_holds++] = (struct state_hold){ *v, now };
}

void state_clear_hold(struct upgrade_state *s, const struct version *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n_holds; i++)
        if (version_compare(&s->holds[i].version, v) != 0)
            s->holds[kept++] = s->holds[i];
    s->n_holds = kept;
}

/* --- old versions */

enum errc state_keep(struct upgrade_state *s, const struct version *v, const char *tree,
                     int64_t now, struct err *err)
{
    if (s->n_kept == STATE_KEPT_MAX)
        return err_set(err, E_LIMIT, "more than %d old versions are kept", STATE_KEPT_MAX);
    struct state_kept *to = &s->kept[s->n_kept++];
    *to = (struct state_kept){ .version = *v, .since = now };
    text_copy(to->tree, sizeof(to->tree), tree);
    return E_OK;
}

void state_drop_kept(struct upgrade_state *s, const char *tree)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_kept; i++)
        if (strcmp(s->kept[i].tree, tree) != 0)
            s->kept[n++] = s->kept[i];
    s->n_kept = n;
}

const struct state_kept *state_find_kept(const struct upgrade_state *s, const struct version *v)
{
    for (size_t i = s->n_kept; i > 0; i--)
        if (version_compare(&s->kept[i - 1].version, v) == 0)
            return &s->kept[i - 1];
    return NULL;
}

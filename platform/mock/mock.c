#include "platform/mock/mock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"

/* --- memory */

void *mock_calloc(size_t n, size_t size)
{
    void *ptr = calloc(n, size);
    if (ptr == NULL)
        abort();
    return ptr;
}

void *mock_grow(void *items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return items;
    *room = *room == 0 ? 8 : *room * 2;
    void *more = realloc(items, *room * size);
    if (more == NULL)
        abort();
    return more;
}

char *mock_text(const char *text)
{
    char *copy = mock_calloc(strlen(text) + 1, 1);
    memcpy(copy, text, strlen(text));
    return copy;
}

/* --- names that are there or not */

static struct mock_fact *find_fact(const struct mock_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n; i++)
        if (strcmp(facts->items[i].name, name) == 0)
            return &facts->items[i];
    return NULL;
}

bool mock_fact(const struct mock_facts *facts, const char *name)
{
    const struct mock_fact *fact = find_fact(facts, name);
    return fact != NULL && fact->holds;
}

void mock_set_fact(struct mock_facts *facts, const char *name, bool holds)
{
    struct mock_fact *fact = find_fact(facts, name);
    if (fact == NULL) {
        facts->items = mock_grow(facts->items, facts->n, &facts->room, sizeof(facts->items[0]));
        fact = &facts->items[facts->n++];
        fact->name = mock_text(name);
    }
    fact->holds = holds;
}

static void facts_fini(struct mock_facts *facts)
{
    for (size_t i = 0; i < facts->n; i++)
        free(facts->items[i].name);
    free(facts->items);
}

/* --- the machine */

static void witness_ask(void *self, struct source *src, struct witness_answer *out)
{
    UNUSED(self);
    UNUSED(src);
    *out = (struct witness_answer){ .word = WITNESS_UNAVAILABLE };
}

static const struct witness_ops no_witness = { .ask = witness_ask };

struct mock *mock_new(bool is_windows)
{
    struct mock *m = mock_calloc(1, sizeof(*m));
    m->platform = (struct platform){ .fs = &mock_fs_ops,
                                     .proc = &mock_proc_ops,
                                     .host = &mock_host_ops,
                                     .service = &mock_service_ops,
                                     .db = &mock_db_ops,
                                     .registry = &mock_registry_ops,
                                     .msi = &mock_msi_ops,
                                     .task = &mock_task_ops,
                                     .witness = &no_witness,
                                     .paths = is_windows ? OS_PATH_WINDOWS : OS_PATH_POSIX,
                                     .self = m };
    m->os = is_windows ? (struct host_os){ "windows", "x86_64", "windows", "10.0", "10.0.20348" }
                       : (struct host_os){ "linux", "x86_64", "mock", "1", "6.1.0" };
    m->last_pid = 100;
    m->clock_ms = 1800000000000;
    m->monotonic_ms = 1000;
    m->is_windows = is_windows;
    disk_init(&m->disk, is_windows);
    disk_mount(&m->disk, "/", UINT64_MAX);
    mock_pass(m, 0);
    return m;
}

void mock_free(struct mock *m)
{
    if (m == NULL)
        return;
    disk_fini(&m->disk);
    for (size_t i = 0; i < m->n_programs; i++)
        free(m->programs[i].tail);
    for (size_t i = 0; i < m->n_processes; i++)
        mock_process_fini(&m->processes[i]);
    for (size_t i = 0; i < m->n_services; i++)
        free(m->services[i]);
    for (size_t i = 0; i < m->n_events; i++) {
        free(m->events[i].source);
        free(m->events[i].text);
    }
    facts_fini(&m->groups);
    facts_fini(&m->mutexes);
    facts_fini(&m->denied_keys);
    mock_registry_fini(m);
    mock_msi_fini(m);
    mock_tasks_fini(m);
    free(m->programs);
    free(m->processes);
    free(m->services);
    free(m->databases);
    free(m->events);
    free(m);
}

struct platform *mock_platform(struct mock *m)
{
    return &m->platform;
}

struct disk *mock_disk(struct mock *m)
{
    return &m->disk;
}

void mock_plan(struct mock *m, const struct fault_plan *plan)
{
    m->disk.plan = plan;
}

/* --- the clock */

void mock_set_clock(struct mock *m, int64_t unix_s)
{
    m->clock_ms = unix_s * 1000;
    m->disk.now_ns = m->clock_ms * 1000000;
    mock_pass(m, 0);
}

void mock_pass(struct mock *m, int64_t ms)
{
    m->clock_ms += ms;
    m->monotonic_ms += ms;
    if (m->disk.now_ns < m->clock_ms * 1000000)
        m->disk.now_ns = m->clock_ms * 1000000;
    mock_services_pass(m);
}

/* --- files */

static struct disk_node *put(struct mock *m, const char *path, enum fs_kind kind, unsigned mode)
{
    struct disk *d = &m->disk;
    struct disk_place place;
    if (disk_find(d, path, false, &place, NULL) != E_OK)
        abort();
    if (place.node != NULL && place.node->kind == kind && kind != FS_LINK)
        return place.node;
    struct disk_node *node = disk_node_new(d, place.folder->volume, kind, mode);
    disk_names_set(d, &place.folder->names, place.name, node);
    disk_names_set(d, &place.folder->stable_names, place.name, node);
    return node;
}

static void put_above(struct mock *m, const char *path)
{
    char above[4096];
    for (size_t i = 1; path[i] != '\0' && i < sizeof(above) - 1; i++) {
        struct disk_place place;
        if (path[i] != '/')
            continue;
        memcpy(above, path, i);
        above[i] = '\0';
        if (disk_find(&m->disk, above, true, &place, NULL) != E_OK)
            abort();
        if (place.node == NULL)
            (void)put(m, above, FS_FOLDER, 0755);
    }
}

void mock_put_folder(struct mock *m, const char *path, unsigned mode)
{
    put_above(m, path);
    struct disk_node *node = put(m, path, FS_FOLDER, mode);
    node->meta.mode = node->stable_meta.mode = mode;
}

void mock_put_file(struct mock *m, const char *path, struct span bytes, unsigned mode)
{
    put_above(m, path);
    struct disk_node *node = put(m, path, FS_FILE, mode);
    buf_clear(&node->bytes);
    buf_clear(&node->stable_bytes);
    if (buf_add(&node->bytes, bytes, NULL) != E_OK ||
        buf_add(&node->stable_bytes, bytes, NULL) != E_OK)
        abort();
    node->meta.mode = node->stable_meta.mode = mode;
    node->meta.mtime_ns = node->stable_meta.mtime_ns = m->disk.now_ns++;
}

void mock_put_link(struct mock *m, const char *path, const char *target)
{
    put_above(m, path);
    put(m, path, FS_LINK, 0777)->target = mock_text(target);
}

struct disk_volume *mock_volume(struct mock *m, const char *path)
{
    struct disk_node *node = NULL;
    if (disk_get(&m->disk, path, true, &node, NULL) != E_OK)
        abort();
    return &m->disk.volumes[node->volume];
}

void mock_set_locked(struct mock *m, const char *path, bool is_locked)
{
    struct disk_node *node = NULL;
    if (disk_get(&m->disk, path, true, &node, NULL) != E_OK)
        abort();
    node->is_locked = is_locked;
}

/* --- the rest */

void mock_set_os(struct mock *m, const struct host_os *os)
{
    m->os = *os;
}

void mock_set_group(struct mock *m, const char *name_or_sid, bool exists)
{
    mock_set_fact(&m->groups, name_or_sid, exists);
}

void mock_set_mutex(struct mock *m, const char *name, bool is_held)
{
    mock_set_fact(&m->mutexes, name, is_held);
}

void mock_set_elevated(struct mock *m, bool is_elevated)
{
    m->is_elevated = is_elevated;
}

const struct mock_event *mock_events(const struct mock *m, size_t *out_n)
{
    *out_n = m->n_events;
    return m->events;
}

/* --- the end */

void mock_kill_us(struct mock *m)
{
    for (struct disk_node *node = m->disk.nodes; node != NULL; node = node->next) {
        node->is_locked = false;
        node->n_readers = node->n_writers = 0;
    }
}

void mock_power_cut(struct mock *m, const struct disk_loss *loss)
{
    disk_crash(&m->disk, loss);
    while (m->n_processes > 0)
        mock_end_process(m, m->processes[0].pid);
    for (size_t i = 0; i < m->n_services; i++) {
        m->services[i]->is = SERVICE_IS_STOPPED;
        m->services[i]->pid = 0;
    }
    m->n_boots++;
    mock_msi_boot(m);
    m->clock_ms += 30000;
    m->monotonic_ms = 1000;
}

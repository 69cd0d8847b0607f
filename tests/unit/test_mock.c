/* The machine in memory. First it is held against the real one: thousands of random operations on
 * both, and each must give the same answer and leave the same. Then what only it can do: lose what
 * was not flushed, fail, and hang. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/mock/mock.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------- the same as the real machine */

struct pair {
    struct platform *p[2];
    const char *root[2];
    unsigned seed;
};

static unsigned pick(struct pair *w, unsigned below)
{
    w->seed = w->seed * 1103515245U + 12345U;
    return (w->seed >> 16) % below;
}

/* A few names in a few folders, so that they meet. */
static void pick_path(struct pair *w, char to[80])
{
    static const char *const folders[] = { "", "/a", "/b", "/a/c", "/l", "/a/.." };
    static const char *const names[] = { "a", "b", "c", "f", "l", "m" };
    (void)snprintf(to, 80, "%s/%s", folders[pick(w, LEN(folders))], names[pick(w, LEN(names))]);
}

enum operation {
    MAKE_FOLDER,
    MAKE_PRIVATE,
    REMOVE,
    REMOVE_FOLDER,
    RENAME,
    EXCHANGE,
    HARD_LINK,
    MAKE_LINK,
    POINT,
    APPEND,
    CUT,
    SET_MODE,
    WRITE,
    WRITE_NEW,
    WRITE_UNFLUSHED,
    ABORT,
    COPY_OWNER,
    READ,
    READ_NOFOLLOW,
    LIST,
    KIND,
    LOCK,
    OPERATIONS
};

static enum errc nothing(void *ctx, const char *name, struct err *err)
{
    UNUSED(name);
    UNUSED(err);
    ++*(unsigned *)ctx;
    return E_OK;
}

static enum errc write_file(struct platform *p, const char *path, unsigned flags, bool aborts,
                            struct err *err)
{
    struct sink *sink = NULL;
    enum errc rc = p->fs->create(p->self, path, flags, &sink, err);
    if (rc == E_OK)
        assert_int_equal(sink_write(sink, span_text("written"), err), E_OK);
    if (rc == E_OK && !aborts)
        return sink_commit(sink, err);
    if (rc == E_OK)
        sink_abort(sink);
    return rc;
}

/* One operation on one machine; *out_seen is what it told. */
static enum errc operate(struct platform *p, enum operation what, const char *path,
                         const char *other, unsigned number, char out_seen[120], struct err *err)
{
    struct source *src = NULL;
    struct fs_lock *lock = NULL;
    enum fs_kind kind = FS_ABSENT;
    unsigned n = 0;
    enum errc rc = E_OK;
    out_seen[0] = '\0';
    switch (what) {
    case MAKE_FOLDER: return p->fs->make_folder(p->self, path, err);
    case MAKE_PRIVATE: return p->fs->make_private_folder(p->self, path, err);
    case REMOVE: return p->fs->remove(p->self, path, err);
    case REMOVE_FOLDER: return p->fs->remove_folder(p->self, path, err);
    case RENAME: return p->fs->rename_new(p->self, path, other, err);
    case EXCHANGE: return p->fs->exchange(p->self, path, other, err);
    case HARD_LINK: return p->fs->hard_link(p->self, path, other, err);
    case MAKE_LINK: return p->fs->make_link(p->self, number % 2 == 0 ? "a" : "../b/f", path, err);
    case POINT: return p->fs->point(p->self, path, number % 2 == 0 ? "a/c" : "nowhere", err);
    case APPEND: return p->fs->append(p->self, path, span_text("record"), err);
    case CUT: return p->fs->cut(p->self, path, number % 12, err);
    case SET_MODE: return p->fs->set_mode(p->self, path, number % 2 == 0 ? 0755 : 0640, err);
    case WRITE: return write_file(p, path, 0, false, err);
    case WRITE_NEW: return write_file(p, path, SINK_NO_REPLACE | SINK_PRIVATE, false, err);
    case WRITE_UNFLUSHED: return write_file(p, path, SINK_UNFLUSHED, false, err);
    case ABORT: return write_file(p, path, number % 2 == 0 ? 0 : SINK_UNFLUSHED, true, err);
    case COPY_OWNER: return p->fs->copy_owner_and_attributes(p->self, path, other, err);
    case READ: rc = p->fs->open_source(p->self, path, &src, err); break;
    case READ_NOFOLLOW: rc = p->fs->open_source_nofollow(p->self, path, &src, err); break;
    case LIST: rc = p->fs->list(p->self, path, nothing, &n, err); break;
    case KIND: rc = p->fs->kind(p->self, path, &kind, err); break;
    case LOCK: rc = p->fs->lock(p->self, path, &lock, err); break;
    case OPERATIONS: break;
    }
    (void)snprintf(out_seen, 120, "%u names, kind %d, %llu bytes", n, (int)kind,
                   src == NULL ? 0ULL : (unsigned long long)src->size);
    source_close(src);
    p->fs->unlock(p->self, lock);
    return rc;
}

/* All that is in a folder, as a text. */
struct picture {
    struct platform *p;
    const char *folder;
    struct buf *to;
    size_t root_len;
};

static enum errc picture_folder(const struct picture *pic);

static enum errc picture_name(void *ctx, const char *name, struct err *err)
{
    const struct picture *pic = ctx;
    struct fs_info info;
    struct buf target;
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", pic->folder, name);
    assert_int_equal(pic->p->fs->stat_link(pic->p->self, path, &info, err), E_OK);
    buf_init(&target, 400);
    if (info.kind == FS_LINK)
        assert_int_equal(pic->p->fs->read_link(pic->p->self, path, &target, err), E_OK);
    else if (info.kind == FS_FILE)
        assert_int_equal(platform_fill_from_file(pic->p, path, 400, &target, err), E_OK);
    const struct picture inner = { pic->p, path, pic->to, pic->root_len };
    enum errc rc =
        buf_printf(pic->to, err, "%s %d %o %llu %.*s\n", path + pic->root_len, (int)info.kind,
                   info.mode, info.kind == FS_FOLDER ? 0ULL : (unsigned long long)info.n_links,
                   (int)target.len, (const char *)target.ptr);
    buf_fini(&target);
    return rc == E_OK && info.kind == FS_FOLDER ? picture_folder(&inner) : rc;
}

static enum errc picture_folder(const struct picture *pic)
{
    struct err err;
    struct picture copy = *pic;
    return pic->p->fs->list(pic->p->self, pic->folder, picture_name, &copy, &err);
}

static void take_picture(const struct pair *w, size_t i, struct buf *to)
{
    const struct picture pic = { w->p[i], w->root[i], to, strlen(w->root[i]) };
    buf_init(to, 1000000);
    assert_int_equal(picture_folder(&pic), E_OK);
    assert_int_equal(buf_add_byte(to, 0, NULL), E_OK);
}

static void one_operation(struct pair *w)
{
    const enum operation what = (enum operation)pick(w, OPERATIONS);
    const unsigned number = pick(w, 100);
    char path[80], other[80], full[2][2][300], seen[2][120];
    struct err err[2] = { { .text = "" }, { .text = "" } };
    enum errc rc[2];
    pick_path(w, path);
    pick_path(w, other);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(full[i][0], sizeof(full[i][0]), "%s%s", w->root[i], path);
        (void)snprintf(full[i][1], sizeof(full[i][1]), "%s%s", w->root[i], other);
        rc[i] = operate(w->p[i], what, full[i][0], full[i][1], number, seen[i], &err[i]);
    }
    if (rc[0] != rc[1] || strcmp(seen[0], seen[1]) != 0)
        fail_msg("operation %d (%s, %s; %u): the system says %s (%s; %s), the mock %s (%s; %s)",
                 (int)what, path, other, number, errc_name(rc[0]), err[0].text, seen[0],
                 errc_name(rc[1]), err[1].text, seen[1]);
}

static void remove_all(const char *folder)
{
    char command[400];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void it_answers_as_the_system_does(void **state)
{
    char folder[] = "/tmp/surefoot-mock-XXXXXX";
    UNUSED(state);
    umask(022);
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct mock *m = mock_new(false);
        struct pair w = { { platform_native(), mock_platform(m) }, { folder, "/root" }, seed };
        struct buf real, ours;
        (void)snprintf(folder, sizeof(folder), "/tmp/surefoot-mock-XXXXXX");
        assert_non_null(mkdtemp(folder));
        mock_put_folder(m, "/root", 0700);
        for (unsigned n = 0; n < 250; n++)
            one_operation(&w);
        take_picture(&w, 0, &real);
        take_picture(&w, 1, &ours);
        assert_string_equal((const char *)real.ptr, (const char *)ours.ptr);
        buf_fini(&real);
        buf_fini(&ours);
        mock_free(m);
        remove_all(folder);
    }
}

/* ----------------------------------------------------------------------- what the power takes */

static struct mock *machine;
static struct platform *p;

static int set_up(void **state)
{
    UNUSED(state);
    machine = mock_new(false);
    p = mock_platform(machine);
    mock_put_folder(machine, "/d", 0755);
    return 0;
}

static int tear_down(void **state)
{
    UNUSED(state);
    mock_free(machine);
    return 0;
}

#define FS(operation, ...)                                                                         \
    do {                                                                                           \
        struct err err_;                                                                           \
        assert_int_equal(p->fs->operation(p->self, __VA_ARGS__, &err_), E_OK);                     \
    } while (0)

static bool is_there(const char *path)
{
    struct fs_info info;
    FS(stat_link, path, &info);
    return info.kind != FS_ABSENT;
}

static void assert_holds(const char *path, const char *text)
{
    struct buf bytes;
    struct err err;
    assert_int_equal(platform_read_file(p, path, 1000, &bytes, &err), E_OK);
    assert_int_equal(bytes.len, strlen(text));
    assert_memory_equal(bytes.ptr, text, bytes.len);
    buf_fini(&bytes);
}

static void put(const char *path, const char *text, unsigned flags)
{
    struct err err;
    assert_int_equal(platform_write_file(p, path, span_text(text), flags, &err), E_OK);
}

static void lose(enum disk_loss_how how, uint64_t n)
{
    const struct disk_loss loss = { how, n };
    mock_power_cut(machine, &loss);
}

static void what_was_not_flushed_goes(void **state)
{
    UNUSED(state);
    put("/d/kept", "kept", 0);
    put("/d/gone", "gone", SINK_UNFLUSHED);
    FS(make_folder, "/d/folder");
    FS(remove, "/d/kept");
    lose(LOSS_ALL, 0);
    assert_holds("/d/kept", "kept");
    assert_false(is_there("/d/gone"));
    assert_false(is_there("/d/folder"));
}

static void all_that_was_done_may_be_kept(void **state)
{
    UNUSED(state);
    put("/d/file", "text", SINK_UNFLUSHED);
    FS(make_folder, "/d/folder");
    lose(LOSS_NONE, 0);
    assert_holds("/d/file", "text");
    assert_true(is_there("/d/folder"));
}

static void a_name_may_last_longer_than_its_contents(void **state)
{
    UNUSED(state);
    put("/d/file", "text", SINK_UNFLUSHED);
    FS(sync_folder, "/d");
    lose(LOSS_ALL, 0);
    assert_holds("/d/file", "");
}

static void a_flushed_tree_lasts_and_what_is_beside_it_does_not(void **state)
{
    UNUSED(state);
    FS(make_folder, "/d/tree");
    FS(make_folder, "/d/tree/inner");
    put("/d/tree/inner/file", "text", SINK_UNFLUSHED);
    put("/d/beside", "text", SINK_UNFLUSHED);
    FS(sync_folder, "/d"); /* both names; of the second no contents */
    FS(flush_tree, "/d/tree");
    lose(LOSS_ALL, 0);
    assert_holds("/d/tree/inner/file", "text");
    assert_holds("/d/beside", "");
}

static void a_tree_without_its_own_name_is_lost(void **state)
{
    UNUSED(state);
    FS(make_folder, "/d/tree");
    put("/d/tree/file", "text", SINK_UNFLUSHED);
    FS(flush_tree, "/d/tree");
    lose(LOSS_ALL, 0);
    assert_false(is_there("/d/tree"));
}

static void an_exchange_is_kept_whole_or_not_at_all(void **state)
{
    UNUSED(state);
    for (unsigned seed = 0; seed < 40; seed++) {
        mock_put_file(machine, "/d/a/v", span_text("one"), 0644);
        mock_put_file(machine, "/e/b/v", span_text("two"), 0644);
        FS(exchange, "/d/a", "/e/b");
        lose(LOSS_RANDOM, seed);
        struct buf bytes;
        assert_int_equal(platform_read_file(p, "/d/a/v", 10, &bytes, NULL), E_OK);
        assert_holds("/e/b/v", bytes.ptr[0] == 'o' ? "two" : "one");
        buf_fini(&bytes);
    }
}

static void of_two_changes_of_a_name_the_later_needs_the_earlier(void **state)
{
    UNUSED(state);
    put("/d/x", "first", 0);
    FS(rename_new, "/d/x", "/d/y");
    put("/d/x", "second", SINK_UNFLUSHED);
    lose(LOSS_BUT_ONE, 0); /* without the rename there is no second x */
    assert_holds("/d/x", "first");
    assert_false(is_there("/d/y"));
}

static void a_record_may_be_torn_and_earlier_ones_stay(void **state)
{
    unsigned n_torn = 0;
    UNUSED(state);
    FS(append, "/d/log", span_text("one."));
    for (unsigned seed = 0; seed < 40; seed++) {
        const struct fault_plan ignores = {
            fault_nth, &(struct fault_nth){ 1, 1 << FAULT_FLUSH, { FAULT_IGNORED, E_OK }, 0 }
        };
        struct buf bytes;
        mock_plan(machine, &ignores);
        FS(append, "/d/log", span_text("two."));
        mock_plan(machine, NULL);
        lose(LOSS_RANDOM, seed);
        assert_int_equal(platform_read_file(p, "/d/log", 20, &bytes, NULL), E_OK);
        assert_true(bytes.len >= 4 && memcmp(bytes.ptr, "one.", 4) == 0);
        n_torn += bytes.len == 6 || (bytes.len == 8 && bytes.ptr[4] == 0);
        buf_fini(&bytes);
        FS(cut, "/d/log", 4);
    }
    assert_true(n_torn > 5 && n_torn < 38);
}

static void a_committed_file_lasts(void **state)
{
    UNUSED(state);
    put("/d/file", "old", 0);
    put("/d/file", "new", 0);
    lose(LOSS_ALL, 0);
    assert_holds("/d/file", "new");
}

static void it_is_another_boot_after_the_power(void **state)
{
    char before[HOST_BOOT_ID_ROOM], after[HOST_BOOT_ID_ROOM];
    struct fs_lock *lock = NULL, *again = NULL;
    UNUSED(state);
    struct mock_service *s = mock_service(machine, "orchard");
    const int64_t pid = mock_add_process(machine, "/bin/editor", "me", NULL);
    s->is = SERVICE_IS_RUNNING;
    FS(lock, "/d/lock", &lock);
    assert_int_equal(p->fs->lock(p->self, "/d/lock", &again, NULL), E_BUSY);
    assert_int_equal(p->host->boot_id(p->self, before, NULL), E_OK);
    lose(LOSS_NONE, 0);
    assert_int_equal(p->host->boot_id(p->self, after, NULL), E_OK);
    assert_string_not_equal(before, after);
    assert_int_equal(s->is, SERVICE_IS_STOPPED);
    assert_false(mock_has_process(machine, pid));
    FS(lock, "/d/lock", &again);
    p->fs->unlock(p->self, again);
    p->fs->unlock(p->self, lock);
}

/* ------------------------------------------------------------------------------ what goes wrong */

static void a_full_disk_says_so_and_room_comes_back(void **state)
{
    struct err err;
    uint64_t room = 0;
    UNUSED(state);
    mock_volume(machine, "/")->capacity = 10;
    put("/d/small", "12345", 0);
    assert_int_equal(platform_write_file(p, "/d/large", span_text("123456"), 0, &err), E_SPACE);
    assert_false(is_there("/d/large"));
    FS(free_bytes, "/d", &room);
    assert_int_equal(room, 5);
    FS(remove, "/d/small");
    FS(free_bytes, "/d", &room);
    assert_int_equal(room, 10);
}

static void volumes_are_kept_apart(void **state)
{
    struct err err;
    bool is_mount = false;
    UNUSED(state);
    mock_put_folder(machine, "/d/other", 0755);
    disk_mount(mock_disk(machine), "/d/other", 100);
    put("/d/file", "text", 0);
    FS(is_mount_point, "/d/other", &is_mount);
    assert_true(is_mount);
    assert_int_equal(p->fs->rename_new(p->self, "/d/file", "/d/other/file", &err), E_UNSUPPORTED);
    mock_volume(machine, "/d/other")->is_read_only = true;
    assert_int_equal(p->fs->make_folder(p->self, "/d/other/x", &err), E_ACCESS);
}

static void the_nth_change_fails_and_only_that(void **state)
{
    struct err err;
    UNUSED(state);
    struct fault_nth nth = { 2, 1 << FAULT_CHANGE, { FAULT_FAILS, E_SPACE }, 0 };
    const struct fault_plan plan = { fault_nth, &nth };
    mock_plan(machine, &plan);
    FS(make_folder, "/d/1");
    assert_int_equal(p->fs->make_folder(p->self, "/d/2", &err), E_SPACE);
    FS(make_folder, "/d/2");
    assert_int_equal(nth.n_seen, 3);
}

static void any_machine_can_be_wrapped(void **state)
{
    struct fault_nth nth = { 3, 1 << FAULT_CHANGE | 1 << FAULT_FLUSH, { FAULT_FAILS, E_IO }, 0 };
    const struct fault_plan plan = { fault_nth, &nth };
    char folder[] = "/tmp/surefoot-mock-XXXXXX", path[80];
    struct err err;
    UNUSED(state);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/file", folder);
    struct platform *w = fault_wrap(platform_native(), &plan);
    assert_int_equal(platform_write_file(w, path, span_text("x"), 0, &err), E_IO); /* its commit */
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(platform_write_file(w, path, span_text("x"), 0, &err), E_OK);
    assert_int_equal(access(path, F_OK), 0);
    nth = (struct fault_nth){ 1, 1 << FAULT_LOOK, { FAULT_IGNORED, E_OK }, 0 };
    struct source *src = NULL;
    assert_int_equal(w->fs->open_source(w->self, path, &src, &err), E_IO);
    fault_unwrap(w);
    remove_all(folder);
}

static void services_do_as_they_were_told(void **state)
{
    struct service_status status;
    struct err err;
    UNUSED(state);
    assert_int_equal(p->service->status(p->self, "orchard", &status, &err), E_OK);
    assert_int_equal(status.is, SERVICE_IS_ABSENT);
    assert_int_equal(p->service->start(p->self, "orchard", 100, &err), E_ABSENT);
    struct mock_service *s = mock_service(machine, "orchard");
    s->dies_after_ms = 5000;
    assert_int_equal(p->service->start(p->self, "orchard", 100, &err), E_OK);
    assert_int_equal(s->is, SERVICE_IS_RUNNING);
    p->host->sleep_ms(p->self, 5000);
    assert_int_equal(p->service->status(p->self, "orchard", &status, &err), E_OK);
    assert_int_equal(status.is, SERVICE_IS_FAILED);
    s->start = TURN_HANGS;
    const int64_t before = p->host->monotonic_ms(p->self);
    assert_int_equal(p->service->start(p->self, "orchard", 70000, &err), E_TIMEOUT);
    assert_int_equal(p->host->monotonic_ms(p->self) - before, 70000);
}

static void windows_keeps_what_is_open_and_knows_no_case(void **state)
{
    struct err err;
    struct source *src = NULL;
    struct mock *w = mock_new(true);
    struct platform *windows = mock_platform(w);
    UNUSED(state);
    mock_put_file(w, "/App/Bin/prog.exe", span_text("x"), 0755);
    assert_int_equal(windows->fs->open_source(windows->self, "/app\\BIN/Prog.EXE", &src, &err),
                     E_OK);
    assert_int_equal(windows->fs->remove(windows->self, "/App/Bin/prog.exe", &err), E_BUSY);
    assert_int_equal(windows->fs->rename_new(windows->self, "/App", "/Old", &err), E_BUSY);
    assert_int_equal(windows->fs->exchange(windows->self, "/App", "/App/Bin", &err), E_UNSUPPORTED);
    source_close(src);
    assert_int_equal(windows->fs->rename_new(windows->self, "/App", "/Old", &err), E_OK);
    mock_free(w);
}

static void windows_has_tasks(void **state)
{
    struct err err;
    struct buf xml;
    bool is_there = true;
    struct mock *m = mock_new(true);
    struct platform *w = mock_platform(m);
    char account[100];
    UNUSED(state);
    buf_init(&xml, 100);
    assert_int_equal(w->task->find(w->self, "Surefoot\\orchard", NULL, &is_there, &err), E_OK);
    assert_false(is_there);
    assert_int_equal(w->task->put(w->self, "Surefoot\\orchard", span_text("<a/>"), &err), E_OK);
    assert_int_equal(w->task->put(w->self, "surefoot\\Orchard", span_text("<b/>"), &err), E_OK);
    assert_int_equal(w->task->find(w->self, "Surefoot\\orchard", &xml, &is_there, &err), E_OK);
    assert_true(is_there);
    assert_true(span_equal_text(buf_span(&xml), "<b/>"));
    assert_int_equal(w->task->remove(w->self, "Surefoot\\orchard", &err), E_OK);
    assert_int_equal(w->task->remove(w->self, "Surefoot\\orchard", &err), E_ABSENT);
    assert_int_equal(w->task->put(w->self, "orchard", span_text("<a/>"), &err), E_ARGUMENT);
    assert_int_equal(w->task->own_account(w->self, account, sizeof(account), &err), E_OK);
    assert_int_equal(p->task->find(p->self, "Surefoot\\orchard", NULL, &is_there, &err),
                     E_UNSUPPORTED);
    buf_fini(&xml);
    mock_free(m);
}

static void the_calendar_is_right(void **state)
{
    struct host_time t;
    struct err err;
    UNUSED(state);
    for (int64_t s = -3000000000; s < 9000000000; s += 86400 * 17 + 12345) {
        struct host_time real;
        assert_int_equal(p->host->calendar(p->self, s, HOST_UTC, &t, &err), E_OK);
        assert_int_equal(platform_native()->host->calendar(NULL, s, HOST_UTC, &real, &err), E_OK);
        assert_int_equal(t.year, real.year);
        assert_int_equal(t.month, real.month);
        assert_int_equal(t.day, real.day);
        assert_int_equal(t.weekday, real.weekday);
        assert_int_equal(t.minute, real.minute);
        assert_int_equal(t.second, real.second);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers_as_the_system_does),
        TEST(what_was_not_flushed_goes),
        TEST(all_that_was_done_may_be_kept),
        TEST(a_name_may_last_longer_than_its_contents),
        TEST(a_flushed_tree_lasts_and_what_is_beside_it_does_not),
        TEST(a_tree_without_its_own_name_is_lost),
        TEST(an_exchange_is_kept_whole_or_not_at_all),
        TEST(of_two_changes_of_a_name_the_later_needs_the_earlier),
        TEST(a_record_may_be_torn_and_earlier_ones_stay),
        TEST(a_committed_file_lasts),
        TEST(it_is_another_boot_after_the_power),
        TEST(a_full_disk_says_so_and_room_comes_back),
        TEST(volumes_are_kept_apart),
        TEST(the_nth_change_fails_and_only_that),
        TEST(any_machine_can_be_wrapped),
        TEST(services_do_as_they_were_told),
        TEST(windows_has_tasks),
        TEST(windows_keeps_what_is_open_and_knows_no_case),
        TEST(the_calendar_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

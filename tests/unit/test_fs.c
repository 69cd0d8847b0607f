#include "machine_kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/xattr.h>

/* ------------------------------------------------------------------------- whose word counts */

static struct fs_guard guard_of(const char *path, unsigned flags)
{
    struct fs_guard guard = { .is_safe = true };
    IS(E_OK, FS(guard, path, flags, &guard));
    return guard;
}

static void assert_unsafe(const char *path, unsigned flags, const char *culprit, const char *reason)
{
    char end[80];
    struct fs_guard guard = guard_of(path, flags);
    assert_false(guard.is_safe);
    (void)snprintf(end, sizeof(end), "/%s", culprit);
    size_t len = strlen(guard.path), tail = strlen(end);
    assert_true(len > tail && strcmp(guard.path + len - tail, end) == 0);
    assert_non_null(strstr(guard.why, reason));
}

static void guard_names_a_parent_that_its_group_may_write(void **state)
{
    UNUSED(state);
    make_folder("open", 0770);
    make_folder("open/inner", 0700);
    make_file("open/inner/file", "x", 0600);
    assert_unsafe("open/inner/file", 0, "open", "by its group");
}

static void guard_names_what_everyone_may_write(void **state)
{
    UNUSED(state);
    make_file("file", "x", 0602);
    assert_unsafe("file", 0, "file", "by everyone");
}

static void guard_names_a_component_of_another_owner(void **state)
{
    UNUSED(state);
    NEEDS_ROOT();
    make_folder("theirs", 0700);
    make_file("theirs/file", "x", 0600);
    assert_int_equal(chown("theirs", NOBODY, 0), 0);
    assert_unsafe("theirs/file", 0, "theirs", "belongs to nobody");
}

static void guard_names_a_link_unless_links_are_allowed(void **state)
{
    UNUSED(state);
    make_folder("real", 0700);
    make_file("real/file", "x", 0600);
    assert_int_equal(symlink("real", "link"), 0);
    assert_unsafe("link/file", 0, "link", "symbolic link");
    assert_true(guard_of("link/file", FS_GUARD_LINKS).is_safe);
    assert_true(guard_of("real/../real/./file", 0).is_safe);
}

static void guard_judges_what_a_link_leads_to(void **state)
{
    char path[200];
    UNUSED(state);
    make_folder("open", 0777);
    make_file("open/file", "x", 0600);
    assert_int_equal(symlink("open/file", "link"), 0);
    assert_unsafe("link", FS_GUARD_LINKS, "open", "by everyone");
    assert_non_null(getcwd(path, sizeof(path) - 20));
    (void)strncat(path, "/open/file", 20);
    assert_int_equal(symlink(path, "absolute"), 0);
    assert_unsafe("absolute", FS_GUARD_LINKS, "open", "by everyone");
}

static void guard_refuses_links_of_others_and_in_circles(void **state)
{
    struct fs_guard guard;
    UNUSED(state);
    assert_int_equal(symlink("two", "one"), 0);
    assert_int_equal(symlink("one", "two"), 0);
    IS(E_LIMIT, FS(guard, "one", FS_GUARD_LINKS, &guard));
    NEEDS_ROOT();
    make_file("file", "x", 0600);
    assert_int_equal(symlink("file", "theirs"), 0);
    assert_int_equal(lchown("theirs", NOBODY, NOBODY), 0);
    assert_unsafe("theirs", FS_GUARD_LINKS, "theirs", "belongs to nobody");
}

static void guard_lets_a_sticky_folder_be_passed_and_not_be_the_end(void **state)
{
    UNUSED(state);
    make_folder("sticky", 01777);
    make_file("sticky/file", "x", 0600);
    assert_true(guard_of("sticky/file", 0).is_safe);
    assert_unsafe("sticky", 0, "sticky", "by everyone");
    assert_unsafe("sticky/.", 0, "sticky", "by everyone");
    make_folder("sticky/own", 0700);
    assert_unsafe("sticky/own/..", 0, "own/..", "by everyone");
}

static void guard_finds_a_second_name_in_a_sticky_folder(void **state)
{
    UNUSED(state);
    make_folder("sticky", 01777);
    make_file("file", "x", 0600);
    assert_int_equal(link("file", "sticky/file"), 0);
    assert_unsafe("sticky/file", 0, "file", "second name");
    assert_int_equal(symlink("file", "sticky/link"), 0);
    assert_unsafe("sticky/link", FS_GUARD_LINKS, "file", "second name");
    assert_int_equal(symlink("file", "link"), 0);
    assert_true(guard_of("link", FS_GUARD_LINKS).is_safe);
}

static void guard_finds_an_access_list(void **state)
{
    /* version 2; the user's, nobody's (write), the group's, the mask, the others' */
    static const unsigned char list[] = { 2,   0,   0,   0,   1,   0,   6,   0,   255, 255, 255,
                                          255, 2,   0,   2,   0,   254, 255, 0,   0,   4,   0,
                                          4,   0,   255, 255, 255, 255, 16,  0,   6,   0,   255,
                                          255, 255, 255, 32,  0,   4,   0,   255, 255, 255, 255 };
    UNUSED(state);
    make_file("file", "x", 0644);
    if (setxattr("file", "system.posix_acl_access", list, sizeof(list), 0) != 0)
        skip();
    assert_unsafe("file", 0, "file", "access list");
}

static void guard_refuses_what_is_no_file_and_says_what_is_not_there(void **state)
{
    struct fs_guard guard;
    UNUSED(state);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_unsafe("pipe", 0, "pipe", "neither a file nor a folder");
    IS(E_ABSENT, FS(guard, "no/such", 0, &guard));
    SAYS("/no");
    make_file("file", "x", 0600);
    IS(E_ABSENT, FS(guard, "file/below", 0, &guard));
    IS(E_ARGUMENT, FS(guard, "", 0, &guard));
    assert_true(guard_of("/", 0).is_safe);
}

static bool nobody_trusts_root_and_itself(void)
{
    struct fs_guard guard;
    return GIVES(E_OK, FS(guard, "/etc/passwd", 0, &guard)) && guard.is_safe &&
           GIVES(E_OK, FS(guard, "theirs", 0, &guard)) && guard.is_safe &&
           GIVES(E_OK, FS(guard, "other", 0, &guard)) && !guard.is_safe;
}

static void guard_is_about_root_and_the_caller(void **state)
{
    UNUSED(state);
    NEEDS_ROOT();
    assert_int_equal(chmod(".", 0755), 0);
    make_file("theirs", "x", 0600);
    make_file("other", "x", 0600);
    assert_int_equal(chown("theirs", NOBODY, NOBODY), 0);
    assert_int_equal(chown("other", 1234, 1234), 0);
    in_other_process(true, nobody_trusts_root_and_itself);
    assert_unsafe("theirs", 0, "theirs", "belongs to nobody");
}

/* ------------------------------------------------------------------------------------ making */

static void a_private_folder_is_made_once_and_for_its_owner(void **state)
{
    UNUSED(state);
    mode_t before = umask(0);
    IS(E_OK, FS(make_private_folder, "new"));
    (void)umask(before);
    assert_int_equal(info_of("new").mode, 0700);
    IS(E_EXISTS, FS(make_private_folder, "new"));
    assert_int_equal(symlink("elsewhere", "link"), 0);
    IS(E_EXISTS, FS(make_private_folder, "link"));
    IS(E_ABSENT, FS(make_private_folder, "no/such"));
}

static void a_readable_folder_lets_everyone_in_and_nobody_change_it(void **state)
{
    UNUSED(state);
    for (mode_t mask = 0; mask <= 077; mask += 077) {
        mode_t before = umask(mask);
        IS(E_OK, FS(make_readable_folder, "new"));
        (void)umask(before);
        assert_int_equal(info_of("new").mode, 0755);
        IS(E_EXISTS, FS(make_readable_folder, "new"));
        assert_int_equal(rmdir("new"), 0);
    }
    assert_int_equal(symlink("elsewhere", "link"), 0);
    IS(E_EXISTS, FS(make_readable_folder, "link"));
    IS(E_ABSENT, FS(make_readable_folder, "no/such"));
}

static void a_link_is_made_where_nothing_is(void **state)
{
    struct buf b;
    UNUSED(state);
    IS(E_OK, FS(make_link, "some/where", "link"));
    buf_init(&b, 100);
    IS(E_OK, FS(read_link, "link", &b));
    assert_true(span_equal_text(buf_span(&b), "some/where"));
    buf_fini(&b);
    IS(E_EXISTS, FS(make_link, "other", "link"));
}

static void permissions_are_set_and_links_have_none(void **state)
{
    UNUSED(state);
    make_file("file", "x", 0600);
    IS(E_OK, FS(set_mode, "file", 0754));
    assert_int_equal(info_of("file").mode, 0754);
    assert_int_equal(symlink("file", "link"), 0);
    IS(E_ARGUMENT, FS(set_mode, "link", 0777));
    assert_int_equal(info_of("file").mode, 0754);
    IS(E_ARGUMENT, FS(set_mode, "file", 0100000));
    IS(E_ABSENT, FS(set_mode, "no-such", 0600));
}

static void a_file_gets_a_second_name(void **state)
{
    UNUSED(state);
    make_file("file", "x", 0600);
    IS(E_OK, FS(hard_link, "file", "second"));
    assert_int_equal(info_of("second").id[1], info_of("file").id[1]);
    assert_int_equal(info_of("second").n_links, 2);
    IS(E_EXISTS, FS(hard_link, "file", "second"));
    assert_int_equal(symlink("file", "link"), 0);
    IS(E_ACCESS, FS(hard_link, "link", "third"));
    make_folder("folder", 0700);
    IS(E_ARGUMENT, FS(hard_link, "folder", "third"));
    assert_int_equal(info_of("third").kind, FS_ABSENT);
    IS(E_ABSENT, FS(hard_link, "no-such", "third"));
}

static void a_clone_shares_or_leaves_nothing(void **state)
{
    UNUSED(state);
    make_file("file", "blocks", 0644);
    why = (struct err){ .code = E_OK };
    enum errc rc = FS(clone, "file", "clone");
    assert_true(rc == E_OK || rc == E_UNSUPPORTED);
    assert_int_equal(info_of("clone").kind, rc == E_OK ? FS_FILE : FS_ABSENT);
    if (rc == E_OK)
        assert_holds("clone", "blocks");
    make_file("taken", "mine", 0600);
    IS(E_EXISTS, FS(clone, "file", "taken"));
    assert_holds("taken", "mine");
    assert_int_equal(symlink("file", "link"), 0);
    IS(E_ACCESS, FS(clone, "link", "other"));
}

/* ---------------------------------------------------------------------------------- changing */

static void a_rename_replaces_nothing(void **state)
{
    UNUSED(state);
    make_folder("a", 0700);
    make_folder("b", 0700);
    IS(E_EXISTS, FS(rename_new, "a", "b"));
    IS(E_OK, FS(rename_new, "a", "c"));
    assert_int_equal(info_of("a").kind, FS_ABSENT);
    assert_int_equal(info_of("c").kind, FS_FOLDER);
    IS(E_ABSENT, FS(rename_new, "a", "d"));
    IS(E_UNSUPPORTED, FS(rename_new, "c", "/proc/c"));
}

static void two_folders_exchange_their_names(void **state)
{
    UNUSED(state);
    make_folder("a", 0700);
    make_folder("b", 0700);
    make_file("a/file", "old", 0600);
    make_file("b/file", "new", 0600);
    IS(E_OK, FS(exchange, "a", "b"));
    assert_holds("a/file", "new");
    assert_holds("b/file", "old");
    IS(E_ABSENT, FS(exchange, "a", "no-such"));
    assert_holds("a/file", "new");
    IS(E_UNSUPPORTED, FS(exchange, "a", "/proc/self"));
}

static enum errc refuse_temporary(void *ctx, const char *name, struct err *err)
{
    UNUSED(ctx);
    return strncmp(name, ".surefoot-", 10) == 0 ? err_set(err, E_EXISTS, "%s is left", name) : E_OK;
}

static void a_pointer_leads_elsewhere_in_one_step(void **state)
{
    UNUSED(state);
    make_folder("one", 0700);
    make_folder("two", 0700);
    make_file("one/file", "1", 0600);
    make_file("two/file", "2", 0600);
    IS(E_OK, FS(point, "current", "one"));
    assert_holds("current/file", "1");
    IS(E_OK, FS(point, "current", "two"));
    assert_holds("current/file", "2");
    IS(E_EXISTS, FS(point, "one", "two"));
    IS(E_EXISTS, FS(point, "two/file", "x"));
    assert_holds("one/file", "1");
    IS(E_ABSENT, FS(point, "no/current", "one"));
    IS(E_OK, FS(list, ".", refuse_temporary, NULL));
}

/* -------------------------------------------------------------------------- records that last */

static enum errc append_text(const char *path, const char *text)
{
    return FS(append, path, span_text(text));
}

static void records_are_added_to_a_private_file(void **state)
{
    UNUSED(state);
    mode_t before = umask(0);
    IS(E_OK, append_text("journal", "one\n"));
    (void)umask(before);
    IS(E_OK, append_text("journal", "two\n"));
    assert_holds("journal", "one\ntwo\n");
    assert_int_equal(info_of("journal").mode, 0600);
}

static void append_refuses_what_is_not_ours_alone(void **state)
{
    UNUSED(state);
    make_file("file", "x", 0600);
    assert_int_equal(symlink("file", "link"), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    IS(E_ACCESS, append_text("link", "y"));
    IS(E_ACCESS, append_text("dangling", "y"));
    assert_int_equal(info_of("nowhere").kind, FS_ABSENT);
    assert_int_equal(link("file", "second"), 0);
    IS(E_ACCESS, append_text("file", "y"));
    SAYS("2 names");
    make_file("shared", "x", 0620);
    IS(E_ACCESS, append_text("shared", "y"));
    SAYS("0620");
    make_folder("folder", 0700);
    assert_int_not_equal(append_text("folder", "y"), E_OK);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_not_equal(append_text("pipe", "y"), E_OK);
    assert_holds("file", "x");
    assert_holds("shared", "x");
    NEEDS_ROOT();
    make_file("theirs", "x", 0600);
    assert_int_equal(chown("theirs", NOBODY, NOBODY), 0);
    IS(E_ACCESS, append_text("theirs", "y"));
    SAYS("nobody");
}

static bool half_a_record_fits(void)
{
    struct rlimit limit = { 10, 10 };
    (void)signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           GIVES(E_LIMIT, append_text("journal", "4567890123\n"));
}

static void a_torn_write_leaves_the_file_as_it_was(void **state)
{
    UNUSED(state);
    IS(E_OK, append_text("journal", "123\n"));
    in_other_process(false, half_a_record_fits);
    assert_holds("journal", "123\n");
    IS(E_OK, append_text("journal", "4\n"));
    assert_holds("journal", "123\n4\n");
}

static void a_file_is_cut_after_its_last_whole_record(void **state)
{
    UNUSED(state);
    IS(E_OK, append_text("journal", "one\ntw"));
    IS(E_OK, FS(cut, "journal", 4));
    IS(E_OK, append_text("journal", "three\n"));
    assert_holds("journal", "one\nthree\n");
    IS(E_TRUNCATED, FS(cut, "journal", 11));
    IS(E_ABSENT, FS(cut, "no-such", 0));
    assert_int_equal(symlink("journal", "link"), 0);
    IS(E_ACCESS, FS(cut, "link", 0));
    assert_holds("journal", "one\nthree\n");
}

static void folders_and_trees_are_flushed(void **state)
{
    UNUSED(state);
    make_folder("folder", 0700);
    make_file("file", "x", 0600);
    IS(E_OK, FS(sync_folder, "folder"));
    IS(E_OK, FS(flush_tree, "folder"));
    IS(E_ABSENT, FS(sync_folder, "file"));
    assert_int_equal(symlink("folder", "link"), 0);
    assert_int_not_equal(FS(flush_tree, "link"), E_OK);
    IS(E_ARGUMENT, FS(flush_tree, "link/"));
    IS(E_ABSENT, FS(flush_tree, "no-such"));
}

/* -------------------------------------------------------------------------------------- locks */

static bool another_finds_it_held(void)
{
    struct fs_lock *lock = NULL;
    char expected[40];
    (void)snprintf(expected, sizeof(expected), "process %ld (test_fs)", (long)getppid());
    return GIVES(E_BUSY, FS(lock, "lock", &lock)) && strstr(why.text, expected) != NULL;
}

static bool another_gets_it(void)
{
    struct fs_lock *lock = NULL;
    return GIVES(E_OK, FS(lock, "lock", &lock)); /* and dies with it */
}

static void a_lock_is_held_once_and_until_unlock(void **state)
{
    struct fs_lock *lock = NULL, *second = NULL;
    UNUSED(state);
    IS(E_OK, FS(lock, "lock", &lock));
    assert_int_equal(info_of("lock").mode, 0600);
    in_other_process(false, another_finds_it_held);
    IS(E_BUSY, FS(lock, "lock", &second));
    assert_null(second);
    platform_native()->fs->unlock(NULL, lock);
    in_other_process(false, another_gets_it);
    IS(E_OK, FS(lock, "lock", &lock));
    platform_native()->fs->unlock(NULL, lock);
    platform_native()->fs->unlock(NULL, NULL);
}

static void a_program_that_we_run_does_not_inherit_the_lock(void **state)
{
    struct fs_lock *lock = NULL;
    const char *argv[] = { "/bin/sh", "-c", "sleep 30 & exit 0", NULL };
    struct proc_command sh = { .argv = argv, .timeout_ms = 10000 };
    struct proc_result result;
    UNUSED(state);
    IS(E_OK, FS(lock, "lock", &lock));
    IS(E_OK, CALL(proc, run, &sh, &result));
    platform_native()->fs->unlock(NULL, lock);
    IS(E_OK, FS(lock, "lock", &lock));
    platform_native()->fs->unlock(NULL, lock);
}

static void a_lock_refuses_what_is_not_ours_alone(void **state)
{
    struct fs_lock *lock = NULL;
    UNUSED(state);
    make_file("file", "x", 0600);
    assert_int_equal(symlink("file", "link"), 0);
    IS(E_ACCESS, FS(lock, "link", &lock));
    make_file("shared", "x", 0666);
    IS(E_ACCESS, FS(lock, "shared", &lock));
    assert_holds("file", "x");
}

/* ---------------------------------------------------------------------------------- the rest */

static void a_source_is_opened_without_following_links(void **state)
{
    struct source *src = NULL;
    UNUSED(state);
    make_file("file", "bytes", 0600);
    IS(E_OK, FS(open_source_nofollow, "file", &src));
    assert_int_equal(src->size, 5);
    source_close(src);
    assert_int_equal(symlink("file", "link"), 0);
    IS(E_ACCESS, FS(open_source_nofollow, "link", &src));
    make_folder("folder", 0700);
    IS(E_ARGUMENT, FS(open_source_nofollow, "folder", &src));
}

static void a_writer_is_found_out(void **state)
{
    bool has = false;
    UNUSED(state);
    make_file("file", "x", 0600);
    int fd = open("file", O_WRONLY);
    assert_true(fd >= 0);
    IS(E_OK, FS(has_writer, "file", &has));
    assert_true(has);
    (void)close(fd);
    IS(E_OK, FS(has_writer, "file", &has));
    assert_false(has);
    fd = open("file", O_RDONLY);
    IS(E_OK, FS(has_writer, "file", &has));
    assert_false(has);
    (void)close(fd);
}

static void the_volume_says_what_is_free(void **state)
{
    uint64_t free_bytes = 0;
    UNUSED(state);
    IS(E_OK, FS(free_bytes, ".", &free_bytes));
    assert_true(free_bytes > 0 && free_bytes < UINT64_MAX);
    IS(E_ABSENT, FS(free_bytes, "no-such", &free_bytes));
}

static void owner_permissions_and_attributes_are_copied(void **state)
{
    char value[8];
    UNUSED(state);
    make_file("from", "x", 0640);
    make_file("to", "y", 0666);
    bool has_attributes = setxattr("from", "user.tone", "low", 3, 0) == 0 &&
                          setxattr("to", "user.other", "x", 1, 0) == 0;
    if (geteuid() == 0)
        assert_int_equal(chown("from", NOBODY, 1234), 0);
    IS(E_OK, FS(copy_owner_and_attributes, "from", "to"));
    struct fs_info from = info_of("from"), to = info_of("to");
    assert_int_equal(to.owner, from.owner);
    assert_int_equal(to.group, from.group);
    assert_int_equal(to.mode, 0640);
    assert_holds("to", "y");
    if (has_attributes) {
        assert_int_equal(getxattr("to", "user.tone", value, sizeof(value)), 3);
        assert_int_equal(getxattr("to", "user.other", value, sizeof(value)), -1);
    }
}

static void trust_in_contents_is_not_copied(void **state)
{
    /* version 2 of a capability set: nothing but CAP_NET_BIND_SERVICE, permitted */
    static const unsigned char caps[20] = { 1, 0, 0, 2, 0, 4 };
    char value[32];
    UNUSED(state);
    make_file("from", "x", 0755);
    make_file("to", "y", 0600);
    assert_int_equal(chmod("from", 06755), 0);
    bool has_caps = setxattr("from", "security.capability", caps, sizeof(caps), 0) == 0;
    assert_int_equal(chmod("from", 06755), 0);
    IS(E_OK, FS(copy_owner_and_attributes, "from", "to"));
    assert_int_equal(info_of("to").mode, 0755);
    if (has_caps)
        assert_int_equal(getxattr("to", "security.capability", value, sizeof(value)), -1);
    make_folder("folder", 0700);
    IS(E_ARGUMENT, FS(copy_owner_and_attributes, "from", "folder"));
    assert_int_equal(symlink("to", "link"), 0);
    IS(E_ARGUMENT, FS(copy_owner_and_attributes, "from", "link"));
}

static bool nobody_may_not_give_files_away(void)
{
    struct fs_info info;
    return GIVES(E_ACCESS, FS(copy_owner_and_attributes, "/etc/passwd", "mine")) &&
           GIVES(E_OK, FS(stat_link, "mine", &info)) && info.owner == NOBODY &&
           (info.mode & 077) == 0;
}

static void owners_are_given_by_root_alone(void **state)
{
    UNUSED(state);
    NEEDS_ROOT();
    assert_int_equal(chmod(".", 0755), 0);
    make_file("mine", "x", 0600);
    assert_int_equal(chown("mine", NOBODY, NOBODY), 0);
    in_other_process(true, nobody_may_not_give_files_away);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
#define ON_TMPFS(test)                                                                             \
    cmocka_unit_test_prestate_setup_teardown(test, enter_folder, leave_folder, tmpfs)

int main(void)
{
    static char tmpfs[] = "/dev/shm";
    const struct CMUnitTest tests[] = {
        IN_FOLDER(guard_names_a_parent_that_its_group_may_write),
        IN_FOLDER(guard_names_what_everyone_may_write),
        IN_FOLDER(guard_names_a_component_of_another_owner),
        IN_FOLDER(guard_names_a_link_unless_links_are_allowed),
        IN_FOLDER(guard_judges_what_a_link_leads_to),
        IN_FOLDER(guard_refuses_links_of_others_and_in_circles),
        IN_FOLDER(guard_lets_a_sticky_folder_be_passed_and_not_be_the_end),
        IN_FOLDER(guard_finds_a_second_name_in_a_sticky_folder),
        IN_FOLDER(guard_finds_an_access_list),
        IN_FOLDER(guard_refuses_what_is_no_file_and_says_what_is_not_there),
        IN_FOLDER(guard_is_about_root_and_the_caller),
        IN_FOLDER(a_private_folder_is_made_once_and_for_its_owner),
        IN_FOLDER(a_readable_folder_lets_everyone_in_and_nobody_change_it),
        IN_FOLDER(a_link_is_made_where_nothing_is),
        IN_FOLDER(permissions_are_set_and_links_have_none),
        IN_FOLDER(a_file_gets_a_second_name),
        IN_FOLDER(a_clone_shares_or_leaves_nothing),
        IN_FOLDER(a_rename_replaces_nothing),
        ON_TMPFS(a_rename_replaces_nothing),
        IN_FOLDER(two_folders_exchange_their_names),
        ON_TMPFS(two_folders_exchange_their_names),
        IN_FOLDER(a_pointer_leads_elsewhere_in_one_step),
        ON_TMPFS(a_pointer_leads_elsewhere_in_one_step),
        IN_FOLDER(records_are_added_to_a_private_file),
        IN_FOLDER(append_refuses_what_is_not_ours_alone),
        IN_FOLDER(a_torn_write_leaves_the_file_as_it_was),
        IN_FOLDER(a_file_is_cut_after_its_last_whole_record),
        IN_FOLDER(folders_and_trees_are_flushed),
        IN_FOLDER(a_lock_is_held_once_and_until_unlock),
        IN_FOLDER(a_program_that_we_run_does_not_inherit_the_lock),
        IN_FOLDER(a_lock_refuses_what_is_not_ours_alone),
        IN_FOLDER(a_source_is_opened_without_following_links),
        IN_FOLDER(a_writer_is_found_out),
        IN_FOLDER(the_volume_says_what_is_free),
        IN_FOLDER(owner_permissions_and_attributes_are_copied),
        IN_FOLDER(trust_in_contents_is_not_copied),
        IN_FOLDER(owners_are_given_by_root_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Data through an upgrade, inside the tree and outside it: kept, changed by a bad version, put
 * back; each step again as after a crash in its middle. */

#include "machine_kit.h"

#include "installer/core/data.h"

static struct setup setup;
static struct files_data items[2];
static char run_folder[128], old_tree[128], new_tree[128], outside[128];
static struct data_place place;

enum { INSIDE, OUTSIDE }; /* the places in product.files.data */

static void begin(void **state, int protect)
{
    const char *root = *state;
    setup = (struct setup){ .platform = platform_native() };
    (void)snprintf(setup.base, sizeof(setup.base), "%s/", root);
    (void)snprintf(run_folder, sizeof(run_folder), "%s/run", root);
    (void)snprintf(old_tree, sizeof(old_tree), "%s/old", root);
    (void)snprintf(new_tree, sizeof(new_tree), "%s/new", root);
    (void)snprintf(outside, sizeof(outside), "%s/srv/data", root);
    items[INSIDE] = (struct files_data){ .path = "data", .protect = protect };
    items[OUTSIDE] = (struct files_data){ .folder = outside, .protect = protect };
    setup.product.files.data.items = items;
    setup.product.files.data.n = ARRAY_LEN(items);
    place = (struct data_place){ .setup = &setup, .run = "2.0.0-bb", .run_folder = run_folder };
    make_folder("run", 0700);
    make_folder("old", 0755);
    make_folder("new", 0755);
    make_folder("srv", 0755);
}

static void fill(const char *folder, const char *text)
{
    char path[200];
    make_folder(folder, 0750);
    (void)snprintf(path, sizeof(path), "%s/sub", folder);
    make_folder(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/sub/rows", folder);
    make_file(path, text, 0640);
    (void)snprintf(path, sizeof(path), "%s/link", folder);
    assert_int_equal(symlink("sub/rows", path), 0);
}

static void assert_filled(const char *folder, const char *text)
{
    char path[200], target[40] = "";
    (void)snprintf(path, sizeof(path), "%s/sub/rows", folder);
    assert_holds(path, text);
    assert_int_equal(info_of(path).mode & 07777, 0640);
    assert_int_equal(info_of(folder).mode & 07777, 0750);
    (void)snprintf(path, sizeof(path), "%s/link", folder);
    assert_int_equal(readlink(path, target, sizeof(target) - 1), 8);
    assert_string_equal(target, "sub/rows");
}

static void spoil(const char *folder)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "%s/sub/rows", folder);
    make_file(path, "migrated", 0600);
    (void)snprintf(path, sizeof(path), "%s/more", folder);
    make_file(path, "weeds", 0600);
}

/* How many names are in a folder. */
static enum errc count_name(void *ctx, const char *name, struct err *err)
{
    UNUSED(name);
    UNUSED(err);
    ++*(int *)ctx;
    return E_OK;
}
static int n_names(const char *folder)
{
    int n = 0;
    IS(E_OK, FS(list, folder, count_name, &n));
    return n;
}

static void data_comes_back_as_it_was(void **state)
{
    begin(state, DATA_SNAPSHOT);
    fill("old/data", "rows");
    fill("srv/data", "more rows");
    for (size_t k = 0; k < ARRAY_LEN(items); k++) {
        IS(E_OK, data_check(&place, k, &why));
        for (int times = 0; times < 2; times++)
            IS(E_OK, data_protect(&place, k, old_tree, &why));
    }
    for (int times = 0; times < 2; times++)
        IS(E_OK, data_move(&place, INSIDE, old_tree, new_tree, &why));
    assert_int_equal(info_of("old/data").kind, FS_ABSENT);
    assert_filled("new/data", "rows");
    spoil("new/data");
    spoil("srv/data");
    for (int times = 0; times < 2; times++)
        IS(E_OK, data_move(&place, INSIDE, new_tree, old_tree, &why));
    for (size_t k = 0; k < ARRAY_LEN(items); k++)
        for (int times = 0; times < 2; times++)
            IS(E_OK, data_restore(&place, k, old_tree, &why));
    assert_filled("old/data", "rows");
    assert_filled("srv/data", "more rows");
    assert_int_equal(info_of("old/data/more").kind, FS_ABSENT);
    assert_int_equal(info_of("srv/data/more").kind, FS_ABSENT);
    for (size_t k = 0; k < ARRAY_LEN(items); k++)
        for (int times = 0; times < 2; times++)
            IS(E_OK, data_discard(&place, k, &why));
    assert_int_equal(n_names("run"), 0);
    assert_int_equal(n_names("srv"), 1);
    assert_filled("srv/data", "more rows");
}

static void data_of_a_good_upgrade_stays_as_it_became(void **state)
{
    begin(state, DATA_SNAPSHOT);
    fill("srv/data", "rows");
    IS(E_OK, data_protect(&place, OUTSIDE, old_tree, &why));
    spoil("srv/data");
    IS(E_OK, data_discard(&place, OUTSIDE, &why));
    assert_holds("srv/data/sub/rows", "migrated");
    assert_int_equal(n_names("srv"), 1);
}

/* What was not there before is not there after, whatever a bad version made. */
static void data_that_was_not_there_is_not_there_again(void **state)
{
    begin(state, DATA_SNAPSHOT);
    for (size_t k = 0; k < ARRAY_LEN(items); k++) {
        IS(E_OK, data_check(&place, k, &why));
        IS(E_OK, data_protect(&place, k, old_tree, &why));
    }
    IS(E_OK, data_move(&place, INSIDE, old_tree, new_tree, &why)); /* there is none */
    fill("old/data", "new rows");
    fill("srv/data", "new rows");
    for (size_t k = 0; k < ARRAY_LEN(items); k++)
        for (int times = 0; times < 2; times++)
            IS(E_OK, data_restore(&place, k, old_tree, &why));
    assert_int_equal(info_of("old/data").kind, FS_ABSENT);
    assert_int_equal(info_of("srv/data").kind, FS_ABSENT);
    for (size_t k = 0; k < ARRAY_LEN(items); k++)
        IS(E_OK, data_discard(&place, k, &why));
    assert_int_equal(n_names("run"), 0);
    assert_int_equal(n_names("srv"), 0);
}

/* A whole snapshot is not taken again: after a crash the new version may have touched the data. */
static void a_whole_snapshot_is_taken_once(void **state)
{
    begin(state, DATA_SNAPSHOT);
    fill("srv/data", "rows");
    IS(E_OK, data_protect(&place, OUTSIDE, old_tree, &why));
    spoil("srv/data");
    IS(E_OK, data_protect(&place, OUTSIDE, old_tree, &why));
    IS(E_OK, data_restore(&place, OUTSIDE, old_tree, &why));
    assert_filled("srv/data", "rows");
    assert_int_equal(info_of("srv/data/more").kind, FS_ABSENT);
}

static void data_that_is_not_protected_is_left_alone(void **state)
{
    begin(state, DATA_NONE);
    fill("srv/data", "rows");
    IS(E_OK, data_protect(&place, OUTSIDE, old_tree, &why));
    assert_int_equal(n_names("srv"), 1);
    spoil("srv/data");
    IS(E_OK, data_discard(&place, OUTSIDE, &why));
    assert_holds("srv/data/sub/rows", "migrated");
}

static void two_of_the_data_in_one_place_are_refused(void **state)
{
    begin(state, DATA_SNAPSHOT);
    fill("old/data", "rows");
    fill("new/data", "the release's own");
    assert_int_not_equal(data_move(&place, INSIDE, old_tree, new_tree, &why), E_OK);
    assert_filled("old/data", "rows");
    assert_filled("new/data", "the release's own");
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(data_comes_back_as_it_was),
        MACHINE(data_of_a_good_upgrade_stays_as_it_became),
        MACHINE(data_that_was_not_there_is_not_there_again),
        MACHINE(a_whole_snapshot_is_taken_once),
        MACHINE(data_that_is_not_protected_is_left_alone),
        MACHINE(two_of_the_data_in_one_place_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

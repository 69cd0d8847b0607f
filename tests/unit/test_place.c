/* Where trees are, and the one switch, in both modes, on a real file system: forth, back, each step
 * again as after a crash in the middle, and what is refused. */

#include "machine_kit.h"

#include "installer/core/place.h"

static struct setup setup;
static struct upgrade_state state_of;
static struct place place;

static const int modes[] = { STATE_SWITCH_EXCHANGE, STATE_SWITCH_POINTER };

static void open_place(void **state, int mode)
{
    setup = (struct setup){ .platform = platform_native() };
    setup.product.name = "orchard";
    (void)snprintf(setup.install, sizeof(setup.install), "%s/orchard-%d", (const char *)*state,
                   mode);
    memset(&state_of, 0, sizeof(state_of));
    state_of.switch_mode = mode;
    IS(E_OK, place_open(&setup, &state_of, &place, &why));
    assert_int_equal(place.mode, mode);
    if (mode == STATE_SWITCH_POINTER) {
        char versions[SETUP_PATH_ROOM];
        IS(E_OK, setup_join(setup.install, "versions", versions, &why));
        IS(E_OK, setup_make_folders(setup.platform, versions, false, &why));
    }
    IS(E_OK, place_make_store(&place, &why));
}

static void join(const char *folder, const char *name, char to[SETUP_PATH_ROOM])
{
    IS(E_OK, setup_join(folder, name, to, &why));
}

/* A staged tree whose file says which one it is. */
static void stage(const char *name, char id[PLACE_ID_ROOM])
{
    char tree[SETUP_PATH_ROOM], file[SETUP_PATH_ROOM];
    IS(E_OK, place_staged(&place, name, tree, &why));
    IS(E_OK, setup_make_folders(setup.platform, tree, false, &why));
    join(tree, "who", file);
    make_file(file, name, 0644);
    for (int times = 0; times < 2; times++)
        IS(E_OK, place_prepare(&place, name, &why));
    IS(E_OK, place_id(&place, name, id, &why));
}

static void assert_runs(const char *name)
{
    char tree[SETUP_PATH_ROOM], file[SETUP_PATH_ROOM];
    bool there = false;
    IS(E_OK, place_current(&place, tree, &there, &why));
    assert_int_equal(there, name != NULL);
    if (name == NULL)
        return;
    join(tree, "who", file);
    assert_holds(file, name);
}

static void assert_side(const char *name, const char *id, bool expected)
{
    bool is_switched = !expected;
    IS(E_OK, place_is_switched(&place, name, id, &is_switched, &why));
    assert_int_equal(is_switched, expected);
}

static void install_first(const char *name)
{
    char id[PLACE_ID_ROOM];
    stage(name, id);
    assert_side(name, id, false);
    for (int times = 0; times < 2; times++)
        IS(E_OK, place_switch(&place, name, "", id, &why));
    assert_side(name, id, true);
    assert_runs(name);
    for (int times = 0; times < 2; times++)
        IS(E_OK, place_settle(&place, name, "", &why));
    assert_runs(name);
}

static void trees_change_places_and_back(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        char id[PLACE_ID_ROOM], path[SETUP_PATH_ROOM];
        open_place(state, modes[i]);
        assert_runs(NULL);
        install_first("1.0.0-aa");
        stage("2.0.0-bb", id);
        assert_runs("1.0.0-aa");
        for (int times = 0; times < 2; times++) {
            IS(E_OK, place_switch(&place, "2.0.0-bb", "1.0.0-aa", id, &why));
            assert_runs("2.0.0-bb");
            assert_side("2.0.0-bb", id, true);
        }
        for (int times = 0; times < 2; times++) {
            IS(E_OK, place_switch_back(&place, "2.0.0-bb", "1.0.0-aa", id, &why));
            assert_runs("1.0.0-aa");
            assert_side("2.0.0-bb", id, false);
        }
        IS(E_OK, place_switch(&place, "2.0.0-bb", "1.0.0-aa", id, &why));
        for (int times = 0; times < 2; times++)
            IS(E_OK, place_settle(&place, "2.0.0-bb", "1.0.0-aa", &why));
        assert_runs("2.0.0-bb");
        /* the old one is where kept trees are, and can be gone back to */
        IS(E_OK, place_put_away(&place, "1.0.0-aa", path, &why));
        assert_int_equal(info_of(path).kind, FS_FOLDER);
        IS(E_OK, place_id(&place, "1.0.0-aa", id, &why));
        IS(E_OK, place_switch(&place, "1.0.0-aa", "2.0.0-bb", id, &why));
        assert_runs("1.0.0-aa");
        IS(E_OK, place_settle(&place, "1.0.0-aa", "2.0.0-bb", &why));
        /* what is taken away is gone, and what runs is not */
        for (int times = 0; times < 2; times++)
            IS(E_OK, place_discard(&place, "2.0.0-bb", &why));
        IS(E_OK, place_put_away(&place, "2.0.0-bb", path, &why));
        assert_int_equal(info_of(path).kind, FS_ABSENT);
        assert_runs("1.0.0-aa");
        place_drop_store(&place);
        assert_int_equal(info_of(place.store).kind, FS_ABSENT);
    }
}

static void a_first_tree_that_is_ill_leaves_nothing_in_place(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        char id[PLACE_ID_ROOM];
        open_place(state, modes[i]);
        stage("1.0.0-aa", id);
        IS(E_OK, place_switch(&place, "1.0.0-aa", "", id, &why));
        for (int times = 0; times < 2; times++) {
            IS(E_OK, place_switch_back(&place, "1.0.0-aa", "", id, &why));
            assert_runs(NULL);
        }
        IS(E_OK, place_discard(&place, "1.0.0-aa", &why));
        place_drop_store(&place);
        assert_int_equal(info_of(place.store).kind, FS_ABSENT);
    }
}

static void a_tree_that_is_nowhere_is_no_guess(void **state)
{
    bool is_switched;
    char id[PLACE_ID_ROOM];
    open_place(state, STATE_SWITCH_EXCHANGE);
    install_first("1.0.0-aa");
    stage("2.0.0-bb", id);
    IS(E_OK, place_discard(&place, "2.0.0-bb", &why));
    IS(E_MALFORMED, place_is_switched(&place, "2.0.0-bb", id, &is_switched, &why));
    IS(E_MALFORMED, place_switch(&place, "2.0.0-bb", "1.0.0-aa", id, &why));
    assert_runs("1.0.0-aa");
}

static void a_store_that_others_may_enter_is_refused(void **state)
{
    open_place(state, STATE_SWITCH_EXCHANGE);
    assert_int_equal(info_of(place.store).mode & 0777, 0700);
    static const mode_t open_modes[] = { 0701, 0710, 0750, 0777 };
    for (size_t i = 0; i < ARRAY_LEN(open_modes); i++) {
        assert_int_equal(chmod(place.store, open_modes[i]), 0);
        IS(E_ACCESS, place_make_store(&place, &why));
    }
    assert_int_equal(chmod(place.store, 0700), 0);
    IS(E_OK, place_make_store(&place, &why));
    assert_int_equal(rmdir(place.store), 0);
    assert_int_equal(symlink("/tmp", place.store), 0);
    assert_int_not_equal(place_make_store(&place, &why), E_OK);
}

static void names_of_trees_are_not_guessable(void **state)
{
    char a[STATE_TREE_ROOM], b[STATE_TREE_ROOM];
    struct version v;
    open_place(state, STATE_SWITCH_EXCHANGE);
    IS(E_OK, version_read(span_text("2.0.0-rc.1"), &v, &why));
    IS(E_OK, place_new_name(&place, &v, a, &why));
    IS(E_OK, place_new_name(&place, &v, b, &why));
    assert_string_not_equal(a, b);
    assert_int_equal(strncmp(a, "2.0.0-rc.1-", 11), 0);
    assert_true(strlen(a) >= 11 + 12);
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(trees_change_places_and_back),
        MACHINE(a_first_tree_that_is_ill_leaves_nothing_in_place),
        MACHINE(a_tree_that_is_nowhere_is_no_guess),
        MACHINE(a_store_that_others_may_enter_is_refused),
        MACHINE(names_of_trees_are_not_guessable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

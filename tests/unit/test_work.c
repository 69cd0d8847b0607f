#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "platform/work.h"

#define N 1000

struct tally {
    atomic_int done[N];
    atomic_int inner;
    size_t shown[N];
    size_t n_shown;
};

static void mark(void *ctx, size_t i)
{
    struct tally *t = ctx;
    atomic_fetch_add(&t->done[i], 1);
}

static void show(void *ctx, size_t i)
{
    struct tally *t = ctx;
    assert_int_equal(atomic_load(&t->done[i]), 1);
    t->shown[t->n_shown++] = i;
}

static void count_inner(void *ctx, size_t i)
{
    struct tally *t = ctx;
    (void)i;
    atomic_fetch_add(&t->inner, 1);
}

static void split_again(void *ctx, size_t i)
{
    (void)i;
    work_run(10, count_inner, ctx);
}

static void every_piece_is_done_once(void **state)
{
    (void)state;
    static struct tally t;
    work_run(N, mark, &t);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(atomic_load(&t.done[i]), 1);
}

static void results_are_shown_in_order(void **state)
{
    (void)state;
    static struct tally t;
    work_run_ordered(N, mark, show, &t);
    assert_int_equal(t.n_shown, N);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(t.shown[i], i);
}

static void pieces_may_be_split_again(void **state)
{
    (void)state;
    static struct tally t;
    work_run(20, split_again, &t);
    assert_int_equal(atomic_load(&t.inner), 200);
    work_run(1, split_again, &t);
    assert_int_equal(atomic_load(&t.inner), 210);
    work_run(0, split_again, &t);
    assert_int_equal(atomic_load(&t.inner), 210);
    assert_true(work_n_cores() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once),
        cmocka_unit_test(results_are_shown_in_order),
        cmocka_unit_test(pieces_may_be_split_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The same steps on the machine in memory and on the real system must say the same, event for
 * event, and leave the same. */

#include "sim.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    UNUSED(st);
    UNUSED(kind);
    UNUSED(at);
    return remove(path);
}

static size_t line_that_differs(const char *a, const char *b, size_t *out_line)
{
    size_t at = 0, start = 0;
    *out_line = 1;
    while (a[at] != '\0' && a[at] == b[at]) {
        if (a[at++] == '\n') {
            start = at;
            ++*out_line;
        }
    }
    return start;
}

bool trace_compare(const struct scenario *s, const char *releases)
{
    char root[] = "/tmp/surefoot-sim-XXXXXX";
    if (mkdtemp(root) == NULL)
        sim_fail("no temporary folder can be made");
    char *real = world_tell(s, releases, root), *ours = world_tell(s, releases, NULL);
    const bool is_same = strcmp(real, ours) == 0;
    size_t line = 0;
    if (!is_same) {
        const size_t at = line_that_differs(real, ours, &line);
        (void)fprintf(stderr, "%s: line %zu: the system says \"%.*s\", the mock \"%.*s\"\n",
                      s->name, line, (int)strcspn(real + at, "\n"), real + at,
                      (int)strcspn(ours + at, "\n"), ours + at);
    }
    free(real);
    free(ours);
    (void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return is_same;
}

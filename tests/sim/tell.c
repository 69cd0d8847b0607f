/* A scenario, told: every event and result, and what is there in the end. */

#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* All steps of the scenario, with their results; then a picture of what is there. */
static char *tell(struct world *w)
{
    const struct scenario *s = w->scenario;
    char result[RUN_RESULT_ROOM];
    for (size_t i = 0; i < s->n_before + 1 + s->n_then; i++) {
        const struct deed_of *deed = i < s->n_before    ? &s->before[i]
                                     : i == s->n_before ? &s->explored
                                                        : &s->then[i - s->n_before - 1];
        world_do(w, deed, result);
        enum errc rc = buf_printf(&w->trace, NULL, "step %zu: %s", i + 1, result);
        if (rc == E_OK && w->exit_code >= 0)
            rc = buf_printf(&w->trace, NULL, " (exit code %d)", w->exit_code);
        if (rc == E_OK && deed->result != NULL && strcmp(deed->result, result) != 0)
            rc = buf_printf(&w->trace, NULL, ", wanted \"%s\": %s", deed->result, w->said);
        if (rc != E_OK || buf_add_byte(&w->trace, '\n', NULL) != E_OK)
            sim_fail("the trace is too long");
    }
    char *picture = world_picture(w);
    if (buf_add_text(&w->trace, picture, NULL) != E_OK || buf_add_byte(&w->trace, 0, NULL) != E_OK)
        sim_fail("the trace is too long");
    free(picture);
    char *told = (char *)w->trace.ptr;
    w->trace = (struct buf){ NULL, 0, 0, 0 };
    return told;
}

char *world_tell(const struct scenario *s, const char *releases, const char *root)
{
    struct world w;
    world_new(&w, s, releases, root);
    char *told = tell(&w);
    world_fini(&w);
    return told;
}

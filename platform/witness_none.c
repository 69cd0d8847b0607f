#include "platform/native.h"

static void witness_ask(void *self, struct source *src, struct witness_answer *out)
{
    UNUSED(self);
    UNUSED(src);
    *out = (struct witness_answer){ .word = WITNESS_UNAVAILABLE };
}

const struct witness_ops native_witness_ops = { .ask = witness_ask };

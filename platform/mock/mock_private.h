#ifndef SUREFOOT_PLATFORM_MOCK_PRIVATE_H
#define SUREFOOT_PLATFORM_MOCK_PRIVATE_H

/* mock_private.h: what the pieces of the machine in memory share. */

#include "platform/mock/disk.h"
#include "platform/mock/mock.h"

/* Memory that is there, or the program ends: this is for tests. */
void *mock_calloc(size_t n, size_t size);
/* mock_grow makes room for one more of `n` items of `size` bytes. */
void *mock_grow(void *items, size_t n, size_t *room, size_t size);
char *mock_text(const char *text);

/* --- disk.c, for disk_crash.c */
int disk_compare(const struct disk *d, const char *a, const char *b);
void disk_names_set(const struct disk *d, struct disk_names *names, const char *name,
                    struct disk_node *node);
void disk_names_fini(struct disk_names *names);

#endif

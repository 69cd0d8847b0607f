#ifndef SUREFOOT_VERIFY_MSI_DB_PRIVATE_H
#define SUREFOOT_VERIFY_MSI_DB_PRIVATE_H

/* msi_db_private.h: what the msi_db_*.c share. */

#include "verify/msi_db.h"

/* Where a string lies in _StringData. One that nothing refers to is as good as not there. */
struct msi_string {
    uint32_t at, len;
    bool is_alive;
};

struct msi_db {
    const struct cfb *cfb;
    uint32_t code_page;
    uint8_t ref_len; /* 2 or 3 */
    struct buf text; /* _StringData */
    struct msi_string *strings;
    uint32_t n_strings; /* number 0, which is null, too */
    struct msi_schema *tables;
    uint32_t n_tables;
    struct msi_column *columns; /* of all tables */
};

/* msi_db_read_stream fills `b` from a stream of the root; nothing where there is none. */
MUST_USE enum errc msi_db_read_stream(const struct cfb *cfb, struct span utf16, struct buf *b,
                                      bool *out_is_there, struct err *err);
/* msi_db_read_table is the same for the stream of a table. */
MUST_USE enum errc msi_db_read_table(const struct cfb *cfb, struct span name, struct buf *b,
                                     bool *out_is_there, struct err *err);

/* msi_strings_read fills text, strings, code page and the width of references. */
MUST_USE enum errc msi_strings_read(struct msi_db *db, struct err *err);

/* msi_strings_get gives a string by its number; 0 is the empty one. */
MUST_USE enum errc msi_strings_get(const struct msi_db *db, uint32_t number, struct span *out,
                                   struct err *err);

/* msi_schemas_read fills tables and columns; the strings are there. */
MUST_USE enum errc msi_schemas_read(struct msi_db *db, struct err *err);

/* msi_column_init sets type and width from a column's type in _Columns. E_MALFORMED for a type that
 * there is not. */
MUST_USE enum errc msi_column_init(struct msi_column *c, uint32_t type, uint8_t ref_len,
                                   struct err *err);

/* msi_table_raw gives the number as it is stored. */
MUST_USE enum errc msi_table_raw(const struct msi_table *t, uint32_t row, uint32_t column,
                                 uint32_t *out, struct err *err);

#endif

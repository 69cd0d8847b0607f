#ifndef SUREFOOT_VERIFY_MSI_DB_H
#define SUREFOOT_VERIFY_MSI_DB_H

/* msi_db.h: reads the database of a Windows Installer package that lies in a compound file. It is
 * in no public standard; this is how it is:
 *
 *   a table's stream     U+4840, then its name packed; other streams: the packed name alone
 *   a packed name        two characters of 0-9 A-Z a-z . _ in one of U+3800..U+47FF (the first in
 *                        the lower six bits), a single one in U+4800..U+483F, others as they are
 *   _StringPool          u32 code page, its top bit: references have 3 bytes, not 2; then for
 *                        strings 1, 2, ...: u16 length, u16 references to it (0, n: n references,
 *                        and a u32 length follows)
 *   _StringData          the strings, one after another
 *   _Tables              the name of each table
 *   _Columns             table, number from 1, name, type of each column
 *   any table            column by column: all values of the first, all of the second, ...
 *   a value              u16 + 0x8000, u32 + 0x80000000, or a string's number, all little endian; 0
 *                        is null. Binary: u16, 0 is null; its bytes are the stream TABLE.KEY.KEY
 *
 * What would be read one way here and another way elsewhere is E_MALFORMED: a reference to no
 * string, a table or a column that is there twice, a stream that is no whole number of rows,
 * strings that do not fill _StringData exactly. What is not checked: that keys are unique and
 * strings of the length and form that their columns ask for, how often strings are referred to, and
 * the bytes of streams that no call asks for (cfb_check says which sectors belong to nothing).
 * Transforms and patches have other tables, and are read no further than those are alike. */

#include "verify/cfb.h"

#define MSI_POOL_BYTES_MAX (4U * 1024 * 1024)
#define MSI_TEXT_BYTES_MAX (16U * 1024 * 1024)
#define MSI_TABLE_BYTES_MAX (8U * 1024 * 1024)
#define MSI_TABLES_MAX 4096U
#define MSI_COLUMNS_MAX 65536U /* of all tables together */
#define MSI_NAME_UNITS_MAX 31  /* of a stream's name, packed */

/* --- names of streams */

struct msi_name {
    uint8_t utf16[2 * MSI_NAME_UNITS_MAX];
    size_t len; /* bytes */
};

/* msi_name_pack gives the name of a stream from its UTF-8; false where no stream can have it. */
MUST_USE bool msi_name_pack(struct span utf8, bool is_table, struct msi_name *out);

/* msi_name_unpack appends a stream's name as UTF-8 and says whether it is a table's. */
MUST_USE enum errc msi_name_unpack(struct span utf16, struct buf *b, bool *out_is_table,
                                   struct err *err);

/* msi_add_utf8 appends text in a code page as UTF-8. 1252 and 65001 are known; of any other (0 is
 * ASCII) each byte above 0x7F becomes U+FFFD, and so does, in all, what has no meaning, and NUL. */
MUST_USE enum errc msi_add_utf8(struct span raw, uint32_t code_page, struct buf *b,
                                struct err *err);

/* --- the database */

enum msi_type { MSI_I2, MSI_I4, MSI_TEXT, MSI_BINARY };

struct msi_column {
    struct span name; /* in the database's code page, as all raw text */
    enum msi_type type;
    bool is_key, is_nullable, is_localizable;
    uint8_t width;    /* bytes of a value */
    uint8_t text_max; /* characters, 0: any number */
    uint32_t before;  /* widths of the columns before it */
};

struct msi_schema {
    struct span name;
    const struct msi_column *columns;
    uint32_t n_columns, row_len;
};

/* What a compound file of Windows Installer is, by its root's class (Windows SDK, msi.h). */
enum msi_kind { MSI_KIND_UNKNOWN, MSI_KIND_PACKAGE, MSI_KIND_PATCH, MSI_KIND_TRANSFORM };
enum msi_kind msi_kind_of(const struct cfb *cfb);

/* msi_kind_check: E_UNSUPPORTED, in words for people, for a patch or a transform, which change a
 * package and are none. */
MUST_USE enum errc msi_kind_check(const struct cfb *cfb, struct err *err);

struct msi_db;

/* msi_db_open reads the strings and what tables there are. E_ABSENT where the compound file has no
 * _StringPool: it is no package. `cfb` must outlive the database. Caller frees with msi_db_close.
 */
MUST_USE enum errc msi_db_open(const struct cfb *cfb, struct msi_db **out, struct err *err);
void msi_db_close(struct msi_db *db);

uint32_t msi_db_code_page(const struct msi_db *db);
size_t msi_db_n_tables(const struct msi_db *db);
const struct msi_schema *msi_db_table(const struct msi_db *db, size_t i);

/* msi_db_find_table: E_ABSENT where there is none, E_MALFORMED where there are two. */
MUST_USE enum errc msi_db_find_table(const struct msi_db *db, const char *name,
                                     const struct msi_schema **out, struct err *err);

/* msi_schema_find_column gives the number, from 0, of the column with this name, which must be of
 * this type; MSI_I4 takes MSI_I2 as well. E_ABSENT, E_MALFORMED for two or another type. */
MUST_USE enum errc msi_schema_find_column(const struct msi_schema *schema, const char *name,
                                          enum msi_type type, uint32_t *out, struct err *err);

/* msi_db_find_property appends the value of a row of the table Property as UTF-8. E_ABSENT where
 * there is none; E_MALFORMED for two rows of that name, or a NUL in the value. */
MUST_USE enum errc msi_db_find_property(const struct msi_db *db, const char *name, struct buf *b,
                                        struct err *err);

/* --- rows */

struct msi_table;

/* msi_table_open reads a table's rows; one that has no stream has none. The database must outlive
 * it. Caller frees with msi_table_close. */
MUST_USE enum errc msi_table_open(const struct msi_db *db, const struct msi_schema *schema,
                                  struct msi_table **out, struct err *err);
void msi_table_close(struct msi_table *t);
uint32_t msi_table_n_rows(const struct msi_table *t);

/* One value; row and column count from 0. All: E_ARGUMENT for a value that is not there or not of
 * the type. */

/* msi_table_number: E_ABSENT for null. */
MUST_USE enum errc msi_table_number(const struct msi_table *t, uint32_t row, uint32_t column,
                                    int32_t *out, struct err *err);
/* msi_table_text gives raw text, borrowed from the database; null is the empty string.
 * msi_table_add_text appends it as UTF-8. */
MUST_USE enum errc msi_table_text(const struct msi_table *t, uint32_t row, uint32_t column,
                                  struct span *out, struct err *err);
MUST_USE enum errc msi_table_add_text(const struct msi_table *t, uint32_t row, uint32_t column,
                                      struct buf *b, struct err *err);
/* msi_table_stream gives the stream of a binary value: E_ABSENT for null, E_MALFORMED where the
 * stream is not there. */
MUST_USE enum errc msi_table_stream(const struct msi_table *t, uint32_t row, uint32_t column,
                                    const struct cfb_entry **out, struct err *err);

/* msi_db_find_stream gives a stream by its name in UTF-8, such as that of a cabinet (which Media
 * writes with a # before it). E_ABSENT where there is none. */
MUST_USE enum errc msi_db_find_stream(const struct msi_db *db, struct span name,
                                      const struct cfb_entry **out, struct err *err);

/* --- the summary information, a property set stream ([MS-OLEPS]) beside the tables */

enum msi_summary_id {
    MSI_SUMMARY_CODE_PAGE = 1,
    MSI_SUMMARY_TITLE = 2,
    MSI_SUMMARY_SUBJECT = 3,
    MSI_SUMMARY_AUTHOR = 4,
    MSI_SUMMARY_KEYWORDS = 5,
    MSI_SUMMARY_COMMENTS = 6,
    MSI_SUMMARY_TEMPLATE = 7, /* "x64;1033,1031"; of a patch: product codes */
    MSI_SUMMARY_LAST_AUTHOR = 8,
    MSI_SUMMARY_REVISION = 9,     /* the package code */
    MSI_SUMMARY_PAGE_COUNT = 14,  /* the version of the installer that is needed, times 100 */
    MSI_SUMMARY_WORD_COUNT = 15,  /* bits: 1 short names, 2 compressed, 4 administrative image, 8 no
                                     elevation needed */
    MSI_SUMMARY_APPLICATION = 18, /* what made it */
    MSI_SUMMARY_SECURITY = 19,
};
#define MSI_SUMMARY_IDS 20
#define MSI_SUMMARY_BYTES_MAX (256U * 1024)
#define MSI_SUMMARY_PROPERTIES_MAX 64U

struct msi_summary {
    struct buf stream; /* what the spans point into */
    uint32_t code_page;
    bool has[MSI_SUMMARY_IDS];
    int32_t number[MSI_SUMMARY_IDS]; /* of those that are numbers */
    struct span text[MSI_SUMMARY_IDS];
};

/* msi_summary_read fills `out`; caller frees it with msi_summary_fini, also after an error.
 * E_ABSENT where there is no such stream. Strings and whole numbers are read, times are not. */
MUST_USE enum errc msi_summary_read(const struct cfb *cfb, struct msi_summary *out,
                                    struct err *err);
void msi_summary_fini(struct msi_summary *s);

/* msi_summary_add_text appends a text as UTF-8; nothing where it is not there. */
MUST_USE enum errc msi_summary_add_text(const struct msi_summary *s, enum msi_summary_id id,
                                        struct buf *b, struct err *err);

#endif

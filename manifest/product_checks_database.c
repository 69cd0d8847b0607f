#include "manifest/product_private.h"

const char *const database_kind_words[] = { "localdb", "sqlserver", "postgresql",
                                            "mysql",   "sqlite",    NULL };

static void begin_database(void *record)
{
    struct check_database *db = &((struct product_check *)record)->of.database;
    product_checks_begin(record, CHECK_DATABASE, RESULT_INSUFFICIENT_DATABASE_PERMISSIONS);
    db->kind_result = result_name(RESULT_NON_LOCAL_DATABASE);
    db->size_result = result_name(RESULT_DATABASE_SIZE_EXCEEDED);
}

static enum errc check_database(void *record, struct err *err)
{
    const struct product_check *check = record;
    const struct check_database *db = &check->of.database;
    enum errc rc = product_checks_one_of("connection", db->connection, "connection-file",
                                         db->connection_file, err);
    return rc == E_OK ? product_checks_result(record, err) : rc;
}

static enum errc check_kind(void *record, struct err *err)
{
    return result_check_named(((struct product_check *)record)->of.database.kind_result, err);
}

static enum errc check_size(void *record, struct err *err)
{
    return result_check_named(((struct product_check *)record)->of.database.size_result, err);
}

static void begin_right(void *record)
{
    ((struct check_right *)record)->result = result_name(RESULT_INSUFFICIENT_DATABASE_PERMISSIONS);
}

static enum errc check_right(void *record, struct err *err)
{
    return result_check_named(((const struct check_right *)record)->result, err);
}

static const struct schema_value kind_values[] = {
    SCHEMA_MUST("is", VALUE_WORDS, struct product_check, of.database.kinds,
                .words = database_kind_words),
    SCHEMA_MAY("result", VALUE_ARGUMENT, struct product_check, of.database.kind_result),
};
static const struct schema_element database_kind = {
    .name = "kind", SCHEMA_VALUES(kind_values), .max = 1, .check = check_kind
};

static const struct schema_value size_values[] = {
    SCHEMA_MUST("below", VALUE_SIZE, struct product_check, of.database.below_bytes, .min = 1),
    SCHEMA_MAY("result", VALUE_ARGUMENT, struct product_check, of.database.size_result),
};
static const struct schema_element database_size = {
    .name = "size", SCHEMA_VALUES(size_values), .max = 1, .check = check_size
};

static const struct schema_value right_values[] = {
    SCHEMA_MUST("name", VALUE_ARGUMENT, struct check_right, name),
    SCHEMA_MAY("account", VALUE_ARGUMENT, struct check_right, account),
    SCHEMA_MAY("result", VALUE_ARGUMENT, struct check_right, result),
};
static const struct schema_element database_right = { .name = "right",
                                                      SCHEMA_VALUES(right_values),
                                                      .max = CHECKS_TEXTS_MAX,
                                                      .store = STORE_LIST,
                                                      .at = offsetof(struct product_check,
                                                                     of.database.rights),
                                                      .record_size = sizeof(struct check_right),
                                                      .begin = begin_right,
                                                      .check = check_right };

static const struct schema_value database_values[] = {
    SCHEMA_MAY("connection", VALUE_ARGUMENT, struct product_check, of.database.connection),
    SCHEMA_MAY("connection-file", VALUE_ARGUMENT, struct product_check,
               of.database.connection_file),
    CHECK_RESULT_MAY,
};
static const struct schema_element *const database_children[] = { &database_kind, &database_size,
                                                                  &database_right, NULL };
const struct schema_element product_checks_database = {
    CHECK_ELEMENT("database", begin_database, check_database), SCHEMA_VALUES(database_values),
    .children = database_children
};

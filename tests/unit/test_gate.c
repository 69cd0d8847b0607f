/* What the gate says of installer packages, and how it keeps what it finds. */

#include "keys/publish/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/text.h"

#define PRODUCT "{11111111-1111-1111-1111-111111111111}"
#define UPGRADE "{22222222-2222-2222-2222-222222222222}"

/* A package as WiX makes it with MajorUpgrade Schedule="afterInstallInitialize". */
static struct msi_package good_package(void)
{
    struct msi_package p = {
        .name = "Orchard",
        .version = "2.1.0",
        .product_code = PRODUCT,
        .upgrade_code = UPGRADE,
        .sequence = { 25, 1400, 1500, MSI_NOT_THERE, MSI_NOT_THERE, 1501, 6600 },
        .first_script_action = "ProcessComponents",
        .first_script_sequence = 1600,
        .n_upgrades = 2,
    };
    p.upgrades[0] = (struct msi_upgrade){ UPGRADE, "", "2.1.0", "", MSI_UPGRADE_MIN_INCLUSIVE };
    p.upgrades[1] = (struct msi_upgrade){ UPGRADE, "2.1.0", "", "", MSI_UPGRADE_ONLY_DETECT };
    return p;
}

static struct payload payload_of(const char *version)
{
    struct payload p = { .kind = PAYLOAD_MSI, .upgrade_code = UPGRADE, .product_code = PRODUCT };
    assert_int_equal(version_read(span_text(version), &p.product_version, NULL), E_OK);
    return p;
}

/* assert_only demands one finding of this level and code (NULL: none) that says `words`. */
static void assert_only(const struct msi_package *p, enum gate_level level, const char *code,
                        const char *words)
{
    struct payload payload = payload_of("2.1.0");
    struct gate g = { .n = 0 };
    gate_msi(p, &payload, "2.1.0/orchard.msi", &g);
    if (code == NULL) {
        assert_int_equal(g.n, 0);
    } else {
        if (g.n != 1)
            fail_msg("%zu findings for %s, the first is %s: %s", g.n, code,
                     g.n > 0 ? g.items[0].code : "", g.n > 0 ? g.items[0].text : "");
        assert_int_equal(g.items[0].level, level);
        assert_string_equal(g.items[0].code, code);
        assert_string_equal(g.items[0].where, "2.1.0/orchard.msi");
        if (strstr(g.items[0].text, words) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", words, g.items[0].text);
    }
    gate_fini(&g);
}

static void package_that_is_in_order_passes(void **state)
{
    UNUSED(state);
    struct msi_package p = good_package();
    assert_only(&p, GATE_NOTE, NULL, NULL);
    p.sequence[MSI_INSTALL_EXECUTE] = 6500, p.sequence[MSI_REMOVE_EXISTING_PRODUCTS] = 6550;
    assert_only(&p, GATE_NOTE, NULL, NULL);
    p = good_package();
    p.sequence[MSI_INSTALL_EXECUTE_AGAIN] = 6500, p.sequence[MSI_REMOVE_EXISTING_PRODUCTS] = 6550;
    assert_only(&p, GATE_NOTE, NULL, NULL);
    p = good_package();
    p.sequence[MSI_REMOVE_EXISTING_PRODUCTS] = 6601;
    assert_only(&p, GATE_NOTE, NULL, NULL);
    p = good_package();
    p.upgrades[0].version_max[0] = '\0';
    assert_only(&p, GATE_NOTE, NULL, NULL);
}

static void removal_that_may_leave_neither_version_is_refused(void **state)
{
    UNUSED(state);
    static const int32_t places[] = { 26, 1399, 1401, 1450, 1499 };
    struct msi_package p = good_package();
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        p.sequence[MSI_REMOVE_EXISTING_PRODUCTS] = places[i];
        assert_only(&p, GATE_REFUSED, "MsiNeitherVersion", "leaves neither");
    }
}

static void sequence_that_cannot_work_is_refused(void **state)
{
    UNUSED(state);
    struct msi_package p = good_package();
    p.sequence[MSI_REMOVE_EXISTING_PRODUCTS] = 4000;
    assert_only(&p, GATE_REFUSED, "MsiSequence", "after ProcessComponents");
    p.sequence[MSI_INSTALL_EXECUTE] = 6500; /* behind it: no help */
    assert_only(&p, GATE_REFUSED, "MsiSequence", "after ProcessComponents");
    p = good_package();
    p.sequence[MSI_REMOVE_EXISTING_PRODUCTS] = MSI_NOT_THERE;
    assert_only(&p, GATE_REFUSED, "MsiSequence", "lacks RemoveExistingProducts");
    p = good_package();
    p.sequence[MSI_FIND_RELATED_PRODUCTS] = MSI_NOT_THERE;
    assert_only(&p, GATE_REFUSED, "MsiSequence", "no FindRelatedProducts before");
    p.sequence[MSI_FIND_RELATED_PRODUCTS] = 1502;
    assert_only(&p, GATE_REFUSED, "MsiSequence", "no FindRelatedProducts before");
    p = good_package();
    text_copy(p.conditions[MSI_REMOVE_EXISTING_PRODUCTS], MSI_WORD_ROOM, "0");
    assert_only(&p, GATE_REFUSED, "MsiSequence", "has the condition 0");
    p = good_package();
    text_copy(p.conditions[MSI_FIND_RELATED_PRODUCTS], MSI_WORD_ROOM, "X");
    assert_only(&p, GATE_REFUSED, "MsiSequence", "FindRelatedProducts has the condition X");
    p = good_package();
    p.sequence[MSI_INSTALL_FINALIZE] = MSI_NOT_THERE;
    assert_only(&p, GATE_REFUSED, "MsiSequence", "lacks InstallFinalize");
}

static void older_versions_must_be_removed(void **state)
{
    UNUSED(state);
    struct msi_package p = good_package();
    p.n_upgrades = 0;
    assert_only(&p, GATE_REFUSED, "MsiUpgradeTable", "no row");
    p = good_package();
    p.upgrades[0].attributes |= MSI_UPGRADE_ONLY_DETECT;
    assert_only(&p, GATE_REFUSED, "MsiUpgradeTable", "no row");
    p = good_package();
    text_copy(p.upgrades[0].upgrade_code, MSI_CODE_ROOM, PRODUCT);
    assert_only(&p, GATE_REFUSED, "MsiUpgradeTable", UPGRADE);
    p = good_package();
    text_copy(p.upgrades[0].version_max, MSI_WORD_ROOM, "2.0.9");
    assert_only(&p, GATE_REFUSED, "MsiUpgradeTable", "some would stay");
    p = good_package();
    text_copy(p.upgrades[0].version_min, MSI_WORD_ROOM, "2.1.0");
    assert_only(&p, GATE_REFUSED, "MsiUpgradeTable", "some would stay");
    text_copy(p.upgrades[0].version_min, MSI_WORD_ROOM, "1.0");
    assert_only(&p, GATE_NOTE, NULL, NULL);
    p = good_package();
    text_copy(p.upgrades[0].features, MSI_WORD_ROOM, "Docs");
    assert_only(&p, GATE_REFUSED, "MsiUpgradeTable", "as a whole");
    p = good_package();
    p.upgrades[0].attributes |= MSI_UPGRADE_IGNORE_REMOVE_FAILURE;
    assert_only(&p, GATE_REFUSED, "MsiUpgradeTable", "as a whole");
}

static void package_must_be_what_the_document_says(void **state)
{
    UNUSED(state);
    struct msi_package p = good_package();
    text_copy(p.product_code, MSI_CODE_ROOM, UPGRADE);
    assert_only(&p, GATE_REFUSED, "VersionMismatch", "ProductCode");
    p = good_package();
    text_copy(p.version, MSI_WORD_ROOM, "2.0.9");
    text_copy(p.upgrades[0].version_max, MSI_WORD_ROOM, "2.0.9");
    assert_only(&p, GATE_REFUSED, "VersionMismatch", "2.0.9");
    p = good_package();
    text_copy(p.version, MSI_WORD_ROOM, "two");
    assert_only(&p, GATE_REFUSED, "MsiVersion", "two");
    p = good_package();
    p.n_external = 1;
    text_copy(p.external[0], MSI_WORD_ROOM, "disk1.cab");
    assert_only(&p, GATE_REFUSED, "MsiExternalMedia", "disk1.cab");
    p = good_package();
    p.n_missing = 1;
    text_copy(p.missing[0], MSI_WORD_ROOM, "gone.cab");
    assert_only(&p, GATE_REFUSED, "MsiExternalMedia", "gone.cab is to be in the package");
    p = good_package();
    p.n_loose = 3;
    assert_only(&p, GATE_REFUSED, "MsiExternalMedia", "3 files lie beside");
}

static void versions_have_windows_installers_limits(void **state)
{
    UNUSED(state);
    static const struct {
        const char *version;
        enum gate_level level;
    } rows[] = { { "256.0.0", GATE_REFUSED },    { "1.256.0", GATE_REFUSED },
                 { "1.0.65536", GATE_REFUSED },  { "255.255.65535", GATE_NOTE },
                 { "1.0.0-rc.1", GATE_REFUSED }, { "1.2.3.4", GATE_WARNING } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct msi_package p = good_package();
        struct payload payload = payload_of(rows[i].version);
        struct gate g = { .n = 0 };
        text_copy(p.version, MSI_WORD_ROOM, rows[i].version);
        text_copy(p.upgrades[0].version_max, MSI_WORD_ROOM, rows[i].version);
        gate_msi(&p, &payload, "x", &g);
        assert_int_equal(gate_worst(&g), rows[i].level);
        gate_fini(&g);
    }
}

static void gate_keeps_each_finding_once_and_loses_none_silently(void **state)
{
    UNUSED(state);
    struct gate g = { .n = 0 };
    assert_int_equal(gate_worst(&g), GATE_NOTE);
    for (int i = 0; i < 3; i++)
        gate_add(&g, GATE_WARNING, "Changed", "x", "the same");
    assert_int_equal(g.n, 1);
    assert_int_equal(gate_worst(&g), GATE_WARNING);
    for (int i = 0; i < GATE_FINDINGS_MAX; i++)
        gate_add(&g, GATE_REFUSED, "Missing", "x", "number %d", i);
    assert_int_equal(g.n, GATE_FINDINGS_MAX);
    assert_int_equal(g.n_cut, 1);
    assert_int_equal(gate_worst(&g), GATE_REFUSED);
    gate_add(&g, GATE_FAILED, "ReadError", "x", "one more");
    assert_int_equal(g.n_cut, 2);
    assert_int_equal(gate_worst(&g), GATE_FAILED);
    gate_fini(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(package_that_is_in_order_passes),
        cmocka_unit_test(removal_that_may_leave_neither_version_is_refused),
        cmocka_unit_test(sequence_that_cannot_work_is_refused),
        cmocka_unit_test(older_versions_must_be_removed),
        cmocka_unit_test(package_must_be_what_the_document_says),
        cmocka_unit_test(versions_have_windows_installers_limits),
        cmocka_unit_test(gate_keeps_each_finding_once_and_loses_none_silently),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

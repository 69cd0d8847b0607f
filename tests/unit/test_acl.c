/* Who may do what to a file on Windows, and the bytes of junctions: judgements without files. For
 * Windows. Access lists are written as the system writes them down (SDDL); those of its own folders
 * are what Windows 10 and Server 2022 are set up with. */

#include <windows.h>

#include <sddl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "platform/base/cc.h"
#include "platform/win32/acl.h"
#include "platform/win32/reparse.h"

#define ME L"S-1-5-21-1-2-3-1001"
#define OTHER L"S-1-5-21-1-2-3-1002"
#define INSTALLER L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

struct row {
    const wchar_t *text;
    bool is_user_safe;
    DWORD wanted; /* the rights that others are to have, of those that acl.h speaks of */
};

static PSECURITY_DESCRIPTOR read_text(const wchar_t *text, PSID *out_owner, ACL **out_list)
{
    PSECURITY_DESCRIPTOR sd = NULL;
    BOOL is_there = FALSE, is_default = FALSE;
    assert_true(
        ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &sd, NULL));
    assert_true(GetSecurityDescriptorOwner(sd, out_owner, &is_default));
    assert_true(GetSecurityDescriptorDacl(sd, &is_there, out_list, &is_default));
    if (!is_there)
        *out_list = NULL;
    return sd;
}

static DWORD rights_of(const wchar_t *text, bool is_user_safe)
{
    PSID owner = NULL, me = NULL;
    ACL *list = NULL;
    assert_true(ConvertStringSidToSidW(ME, &me));
    PSECURITY_DESCRIPTOR sd = read_text(text, &owner, &list);
    const struct acl_self self = { .user = me, .is_user_safe = is_user_safe };
    DWORD rights = acl_rights_of_others(&self, owner, list, ACL_WRITING, NULL);
    (void)LocalFree(sd);
    (void)LocalFree(me);
    return rights;
}

static void the_rights_of_others_are_summed_up(void **state)
{
    static const struct row rows[] = {
        { L"O:BAD:(A;;FA;;;SY)(A;;FA;;;BA)", false, 0 },
        { L"O:SYD:(A;;FA;;;SY)(A;;FA;;;" INSTALLER L")", false, 0 },
        { L"O:" INSTALLER L"D:(A;;FA;;;BA)", false, 0 },
        { L"O:BAD:(A;;0x1200a9;;;BU)", false, ACL_READING },
        { L"O:BAD:(A;;0x1200a9;;;WD)", false, ACL_READING },
        { L"O:BAD:(A;;FW;;;BU)", false,
          FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES },
        /* generic rights are those that they mean */
        { L"O:BAD:(A;;GR;;;AU)", false, ACL_READING },
        { L"O:BAD:(A;;GA;;;AU)", false, ACL_READING | ACL_WRITING },
        /* one right each */
        { L"O:BAD:(A;;0x2;;;BU)", false, FILE_WRITE_DATA },
        { L"O:BAD:(A;;0x4;;;BU)", false, FILE_APPEND_DATA },
        { L"O:BAD:(A;;0x10;;;BU)", false, FILE_WRITE_EA },
        { L"O:BAD:(A;;0x40;;;BU)", false, FILE_DELETE_CHILD },
        { L"O:BAD:(A;;0x100;;;BU)", false, FILE_WRITE_ATTRIBUTES },
        { L"O:BAD:(A;;SD;;;BU)", false, DELETE },
        { L"O:BAD:(A;;WD;;;BU)", false, WRITE_DAC },
        { L"O:BAD:(A;;WO;;;BU)", false, WRITE_OWNER },
        /* several entries add up, and one that denies takes nothing away */
        { L"O:BAD:(A;;0x2;;;BU)(A;;0x4;;;" OTHER L")", false, FILE_WRITE_DATA | FILE_APPEND_DATA },
        { L"O:BAD:(D;;0x2;;;BU)(A;;0x2;;;BU)", false, FILE_WRITE_DATA },
        { L"O:BAD:(D;;FA;;;WD)", false, 0 },
        /* what is passed on only says nothing here */
        { L"O:BAD:(A;OICIIO;FA;;;WD)", false, 0 },
        { L"O:BAD:(A;OICI;FA;;;WD)", false, ACL_READING | ACL_WRITING },
        /* our own user, whose word counts or not */
        { L"O:" ME L"D:(A;;FA;;;" ME L")", true, 0 },
        { L"O:" ME L"D:(A;;FA;;;" ME L")", false, ACL_READING | ACL_WRITING },
        { L"O:BAD:(A;;FA;;;" ME L")", true, 0 },
        { L"O:BAD:(A;;FA;;;" ME L")", false, ACL_READING | ACL_WRITING },
        { L"O:BAD:(A;;FA;;;" OTHER L")", true, ACL_READING | ACL_WRITING },
        /* an owner may always let itself in */
        { L"O:" OTHER L"D:(A;;FA;;;BA)", true, ACL_READING | ACL_WRITING },
        { L"O:WDD:(A;;FA;;;BA)", true, ACL_READING | ACL_WRITING },
        /* those who stand for the owner */
        { L"O:BAD:(A;;FA;;;CO)", false, 0 },
        { L"O:BAD:(A;;FA;;;S-1-3-4)", false, 0 },
        { L"O:BAD:(A;;FA;;;CG)", false, ACL_READING | ACL_WRITING },
        /* nearly those who are trusted */
        { L"O:BAD:(A;;FA;;;S-1-5-32-545)", true, ACL_READING | ACL_WRITING },
        { L"O:BAD:(A;;FA;;;S-1-5-19)", true, ACL_READING | ACL_WRITING },
        { L"O:BAD:(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478465)", true,
          ACL_READING | ACL_WRITING },
        { L"O:BAD:(A;;FA;;;S-1-5-80-0)", true, ACL_READING | ACL_WRITING },
        { L"O:BAD:(A;;FA;;;S-1-1-18)", true, ACL_READING | ACL_WRITING },
        { L"O:BAD:(A;;FA;;;S-1-5-21-1-2-3-512)", true, ACL_READING | ACL_WRITING },
        /* no list, and one without entries */
        { L"O:BA", true, ACL_READING | ACL_WRITING },
        { L"O:BAD:", true, 0 },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        DWORD has = rights_of(rows[i].text, rows[i].is_user_safe) & (ACL_READING | ACL_WRITING);
        if (has != rows[i].wanted)
            print_error("%ls: %lx, not %lx\n", rows[i].text, has, rows[i].wanted);
        assert_int_equal(has, rows[i].wanted);
    }
}

static void folders_of_windows_may_be_passed_or_be_the_end(void **state)
{
    static const struct {
        const wchar_t *text;
        bool is_safe[3]; /* at the end, on the way, a root on the way */
    } rows[] = {
        /* C:\ */
        { L"O:" INSTALLER L"D:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)"
          L"(A;OICIIO;SDGXGWGR;;;AU)(A;;LC;;;AU)",
          { false, true, true } },
        /* C:\ProgramData */
        { L"O:SYD:AI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)"
          L"(A;CI;DCLCRPCR;;;BU)",
          { false, true, true } },
        /* C:\Program Files */
        { L"O:" INSTALLER L"D:PAI(A;;FA;;;" INSTALLER L")(A;CIIO;GA;;"
          L";" INSTALLER L")(A;;0x1301bf;;;SY)(A;"
          L"OICIIO;GA;;;SY)(A;;0x1301bf;"
          L";;BA)(A;OICIIO;GA;;;BA)"
          L"(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;OICIIO;GA;;;CO)(A;;0x1200a9;;;AC)",
          { true, true, true } },
        /* the root of a new volume for data, and a folder that an administrator made there */
        { L"O:BAD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICIIO;0x1301bf;;;AU)(A;;0x1301bf;;;AU)"
          L"(A;OICI;0x1200a9;;;BU)",
          { false, false, true } },
        { L"O:BAD:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;OICIID;0x1301bf;;;AU)",
          { false, false, true } },
        /* a user's own folder, for somebody else */
        { L"O:" OTHER L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;" OTHER L")",
          { false, false, false } },
        /* whoever may take a name away in it */
        { L"O:BAD:(A;;FA;;;BA)(A;;0x40;;;BU)", { false, false, false } },
        { L"O:BAD:(A;;FA;;;BA)(A;;WD;;;BU)", { false, false, false } },
        { L"O:BAD:(A;;FA;;;BA)(A;;WO;;;BU)", { false, false, false } },
        { L"O:BAD:(A;;FA;;;BA)(A;;SD;;;BU)", { false, false, true } },
    };
    static const enum acl_place places[] = { ACL_AT_END, ACL_ON_THE_WAY, ACL_ROOT_ON_THE_WAY };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; k < ARRAY_LEN(places); k++) {
            bool is = (rights_of(rows[i].text, false) & acl_unsafe_rights(places[k])) == 0;
            if (is != rows[i].is_safe[k])
                print_error("%ls, place %zu\n", rows[i].text, k);
            assert_int_equal(is, rows[i].is_safe[k]);
        }
}

static void an_entry_of_an_unknown_kind_allows_everything(void **state)
{
    PSID owner = NULL;
    ACL *list = NULL;
    ACE_HEADER *entry = NULL;
    UNUSED(state);
    PSECURITY_DESCRIPTOR sd = read_text(L"O:BAD:(A;;0x1200a9;;;BU)", &owner, &list);
    const struct acl_self self = { .user = NULL, .is_user_safe = false };
    assert_true(GetAce(list, 0, (LPVOID *)&entry));
    entry->AceType = ACCESS_ALLOWED_CALLBACK_ACE_TYPE;
    assert_int_equal(acl_rights_of_others(&self, owner, list, 0, NULL) & ACL_WRITING, 0);
    entry->AceType = ACCESS_ALLOWED_OBJECT_ACE_TYPE;
    assert_int_equal(acl_rights_of_others(&self, owner, list, 0, NULL), FILE_ALL_ACCESS);
    entry->AceType = 200;
    assert_int_equal(acl_rights_of_others(&self, owner, list, 0, NULL), FILE_ALL_ACCESS);
    (void)LocalFree(sd);
}

static void the_one_who_may_is_named(void **state)
{
    PSID owner = NULL, who = NULL, users = NULL;
    ACL *list = NULL;
    UNUSED(state);
    assert_true(ConvertStringSidToSidW(L"S-1-5-32-545", &users));
    PSECURITY_DESCRIPTOR sd =
        read_text(L"O:BAD:(A;;FA;;;SY)(A;;FR;;;WD)(A;;0x2;;;BU)(A;;0x2;;;AU)", &owner, &list);
    const struct acl_self self = { .user = NULL, .is_user_safe = false };
    (void)acl_rights_of_others(&self, owner, list, ACL_WRITING, &who);
    assert_non_null(who);
    assert_true(EqualSid(who, users));
    (void)acl_rights_of_others(&self, owner, list, WRITE_DAC, &who);
    assert_null(who);
    (void)LocalFree(sd);
    (void)LocalFree(users);
}

/* --- junctions */

static void a_junction_is_read_as_it_was_written(void **state)
{
    struct buf b;
    struct err why;
    wchar_t *target = NULL;
    bool is_relative = true;
    UNUSED(state);
    buf_init(&b, REPARSE_BYTES_MAX);
    assert_int_equal(reparse_write_junction(L"C:\\a\\b", &b, &why), E_OK);
    static const uint8_t bytes[] = { 0x03, 0, 0,    0xA0, 44,   0, 0,   0, 0,    0, 20,  0, 22,  0,
                                     12,   0, '\\', 0,    '?',  0, '?', 0, '\\', 0, 'C', 0, ':', 0,
                                     '\\', 0, 'a',  0,    '\\', 0, 'b', 0, 0,    0, 'C', 0, ':', 0,
                                     '\\', 0, 'a',  0,    '\\', 0, 'b', 0, 0,    0 };
    assert_int_equal(b.len, sizeof(bytes));
    assert_memory_equal(b.ptr, bytes, sizeof(bytes));
    assert_int_equal(reparse_read(buf_span(&b), &target, &is_relative, &why), E_OK);
    assert_true(wcscmp(target, L"C:\\a\\b") == 0);
    assert_false(is_relative);
    free(target);
    buf_fini(&b);
}

static void a_symbolic_link_says_whether_it_is_relative(void **state)
{
    static const uint8_t bytes[] = { 0x0C, 0, 0, 0xA0, 20, 0, 0,   0, 0,   0, 8,    0, 0,   0,
                                     8,    0, 1, 0,    0,  0, '.', 0, '.', 0, '\\', 0, 'x', 0 };
    struct err why;
    wchar_t *target = NULL;
    bool is_relative = false;
    UNUSED(state);
    assert_int_equal(reparse_read(span_of(bytes, sizeof(bytes)), &target, &is_relative, &why),
                     E_OK);
    assert_true(wcscmp(target, L"..\\x") == 0);
    assert_true(is_relative);
    free(target);
}

/* Every prefix of a good one, and numbers that lead outside. */
static void broken_links_are_refused(void **state)
{
    struct buf b;
    struct err why;
    wchar_t *target = NULL;
    bool is_relative = false;
    UNUSED(state);
    buf_init(&b, REPARSE_BYTES_MAX);
    assert_int_equal(reparse_write_junction(L"C:\\a", &b, &why), E_OK);
    const size_t needed = 8 + 8 + 16;
    for (size_t len = 0; len < needed; len++)
        assert_int_equal(reparse_read(span_of(b.ptr, len), &target, &is_relative, &why),
                         E_MALFORMED);
    b.ptr[8] = 0xFE; /* where the name begins */
    assert_int_equal(reparse_read(buf_span(&b), &target, &is_relative, &why), E_MALFORMED);
    b.ptr[8] = 0;
    b.ptr[10] = 15; /* how long it is: no whole characters */
    assert_int_equal(reparse_read(buf_span(&b), &target, &is_relative, &why), E_MALFORMED);
    b.ptr[10] = 0;
    assert_int_equal(reparse_read(buf_span(&b), &target, &is_relative, &why), E_MALFORMED);
    b.ptr[10] = 18; /* with the NUL behind it */
    assert_int_equal(reparse_read(buf_span(&b), &target, &is_relative, &why), E_MALFORMED);
    b.ptr[0] = 0x13; /* a file without its duplicates */
    assert_int_equal(reparse_read(buf_span(&b), &target, &is_relative, &why), E_ARGUMENT);
    buf_fini(&b);
    wchar_t *far_away = calloc(20001, sizeof(*far_away));
    assert_non_null(far_away);
    for (size_t i = 0; i < 20000; i++)
        far_away[i] = L'x';
    buf_init(&b, REPARSE_BYTES_MAX);
    assert_int_equal(reparse_write_junction(far_away, &b, &why), E_LIMIT);
    buf_fini(&b);
    free(far_away);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rights_of_others_are_summed_up),
        cmocka_unit_test(folders_of_windows_may_be_passed_or_be_the_end),
        cmocka_unit_test(an_entry_of_an_unknown_kind_allows_everything),
        cmocka_unit_test(the_one_who_may_is_named),
        cmocka_unit_test(a_junction_is_read_as_it_was_written),
        cmocka_unit_test(a_symbolic_link_says_whether_it_is_relative),
        cmocka_unit_test(broken_links_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

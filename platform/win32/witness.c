/* WinVerifyTrust, from the system's own wintrust.dll, which is loaded when it is first asked. Not
 * yet seen on Microsoft's own Windows: what is said of it here is by its documentation, and by
 * wine. */

#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <softpub.h>
#include <wintrust.h>

#include "platform/win32/w32.h"
#include "platform/win32/witness_code.h"

#define LIBRARY L"wintrust.dll"

typedef LONG(WINAPI *verify_fn)(HWND, GUID *, LPVOID);
typedef CRYPT_PROVIDER_DATA *(WINAPI *data_fn)(HANDLE);
typedef CRYPT_PROVIDER_SGNR *(WINAPI *signer_fn)(CRYPT_PROVIDER_DATA *, DWORD, WINBOOL, DWORD);

/* What is wrong with the chain that was found for the signer, 0 where none was looked for. */
static uint32_t chain_status_of(HANDLE state)
{
    const data_fn data_of = (data_fn)w32_function(LIBRARY, "WTHelperProvDataFromStateData");
    const signer_fn signer_of = (signer_fn)w32_function(LIBRARY, "WTHelperGetProvSignerFromChain");
    CRYPT_PROVIDER_DATA *data = data_of == NULL || state == NULL ? NULL : data_of(state);
    const CRYPT_PROVIDER_SGNR *signer =
        data == NULL || signer_of == NULL ? NULL : signer_of(data, 0, FALSE, 0);
    return signer == NULL || signer->pChainContext == NULL
               ? 0
               : signer->pChainContext->TrustStatus.dwErrorStatus;
}

/* The name is for Windows' messages: what is read is the handle. */
static void ask_about(verify_fn verify, HANDLE handle, const wchar_t *name,
                      struct witness_answer *out)
{
    static const GUID by_signature = WINTRUST_ACTION_GENERIC_VERIFY_V2;
    GUID action = by_signature;
    const HWND none = NULL; /* of WTD_UI_NONE; INVALID_HANDLE_VALUE makes wine start a desktop */
    WINTRUST_FILE_INFO file = { .cbStruct = sizeof(file), .pcwszFilePath = name, .hFile = handle };
    WINTRUST_DATA ask = { .cbStruct = sizeof(ask),
                          .dwUIChoice = WTD_UI_NONE,
                          .fdwRevocationChecks = WTD_REVOKE_NONE,
                          .dwUnionChoice = WTD_CHOICE_FILE,
                          .pFile = &file,
                          .dwStateAction = WTD_STATEACTION_VERIFY,
                          .dwProvFlags = WTD_CACHE_ONLY_URL_RETRIEVAL | WTD_REVOCATION_CHECK_NONE };
    const LONG code = verify(none, &action, &ask);
    witness_code_read((uint32_t)code, chain_status_of(ask.hWVTStateData), out);
    ask.dwStateAction = WTD_STATEACTION_CLOSE;
    (void)verify(none, &action, &ask);
}

/* What these libraries load in turn they may look for beside the program (wine's do): it is loaded
 * before, from System32. */
static verify_fn load(void)
{
    static const wchar_t *const in_turn[] = { L"imagehlp.dll", L"cryptnet.dll" };
    for (size_t i = 0; i < ARRAY_LEN(in_turn); i++)
        (void)LoadLibraryExW(in_turn[i], NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    return (verify_fn)w32_function(LIBRARY, "WinVerifyTrust");
}

/* The path that a handle has now. NULL where it has none; caller frees. */
static wchar_t *name_of(HANDLE handle)
{
    const DWORD room = GetFinalPathNameByHandleW(handle, NULL, 0, 0);
    wchar_t *name = room == 0 ? NULL : calloc((size_t)room + 1, sizeof(*name));
    if (name == NULL)
        return NULL;
    const DWORD len = GetFinalPathNameByHandleW(handle, name, room + 1, 0);
    if (len > 0 && len <= room)
        return name;
    free(name);
    return NULL;
}

static void witness_ask(void *self, struct source *src, struct witness_answer *out)
{
    UNUSED(self);
    HANDLE handle = NULL;
    const verify_fn verify = load();
    *out = (struct witness_answer){ .word = WITNESS_UNAVAILABLE };
    wchar_t *name = verify != NULL && w32_source_handle(src, &handle) ? name_of(handle) : NULL;
    if (name != NULL)
        ask_about(verify, handle, name, out);
    free(name);
}

const struct witness_ops native_witness_ops = { .ask = witness_ask };

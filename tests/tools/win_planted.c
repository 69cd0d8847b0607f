/* win_planted: a library that tells when somebody loads it: a file of its own name is made in the
 * folder SUREFOOT_PLANTED. Tests copy it to the names of others. */

#include <windows.h>

#include <stdio.h>
#include <string.h>

BOOL WINAPI DllMain(HINSTANCE self, DWORD why, LPVOID reserved);

BOOL WINAPI DllMain(HINSTANCE self, DWORD why, LPVOID reserved)
{
    char me[MAX_PATH] = "", folder[MAX_PATH] = "", path[2 * MAX_PATH];
    (void)reserved;
    if (why != DLL_PROCESS_ATTACH || GetModuleFileNameA(self, me, MAX_PATH) == 0 ||
        GetEnvironmentVariableA("SUREFOOT_PLANTED", folder, MAX_PATH) == 0)
        return TRUE;
    const char *name = strrchr(me, '\\');
    (void)snprintf(path, sizeof(path), "%s\\%s", folder, name == NULL ? me : name + 1);
    HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file != INVALID_HANDLE_VALUE)
        (void)CloseHandle(file);
    return TRUE;
}

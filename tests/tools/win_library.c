/* win_library: a library that does nothing, for win_child to load. */

#include <windows.h>

__declspec(dllexport) int win_library_answer(void);

int win_library_answer(void)
{
    return 42;
}

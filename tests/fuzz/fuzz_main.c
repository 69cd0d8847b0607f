/* Runs a fuzz target over the files named on the command line, without libFuzzer. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        (void)fprintf(stderr, "%s: cannot read\n", path);
        if (f != NULL)
            (void)fclose(f);
        return 1;
    }
    long size = ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(size < 1 ? 1 : (size_t)size);
    size_t n = bytes == NULL || size < 1 ? 0 : fread(bytes, 1, (size_t)size, f);
    (void)fclose(f);
    if (bytes != NULL)
        (void)LLVMFuzzerTestOneInput(bytes, n);
    free(bytes);
    return bytes == NULL;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= run_file(argv[i]);
    (void)printf("%d inputs\n", argc - 1);
    return failed;
}

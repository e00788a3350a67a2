/* SPDX-License-Identifier: MIT */
/*
 * The program: words of the command line in, an exit status out.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "-version") == 0 || strcmp(argv[1], "--version") == 0)) {
        printf("%s version %s\n", PACKAGE_NAME, PACKAGE_VERSION);
        return 0;
    }

    fprintf(stderr, "qomet: there is nothing to run yet; only -version is known\n");
    return 1;
}

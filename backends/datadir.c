/* SPDX-License-Identifier: MIT */
/* Where firmware and ROMs are: the folders of the packages that bring them. */
#include <string.h>
#include <unistd.h>
#include <qomet/backends/datadir.h>

static const char *const folders[] = {
    "/usr/share/seabios",    "/usr/share/qemu",      "/usr/share/qemu-kvm",
    "/usr/local/share/qemu", "/usr/share/OVMF",      "/usr/share/edk2/ovmf",
    "/usr/lib/ipxe/qemu",    "/usr/share/ipxe/qemu", NULL,
};

char *datadir_find(const char *name, GError **errp)
{
    g_autofree char *all = NULL;

    if (g_file_test(name, G_FILE_TEST_EXISTS)) {
        return g_strdup(name);
    }
    if (strchr(name, '/')) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "there is no file '%s'", name);
        return NULL;
    }
    for (const char *const *folder = folders; *folder; folder++) {
        g_autofree char *path = g_build_filename(*folder, name, NULL);

        if (access(path, R_OK) == 0) {
            return g_steal_pointer(&path);
        }
    }
    all = g_strjoinv(", ", (char **)folders); /* which it reads only */
    qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                  "'%s' is neither a file here nor one in %s (Debian's package seabios brings that "
                  "of a PC)",
                  name, all);
    return NULL;
}

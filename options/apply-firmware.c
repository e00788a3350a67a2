/* SPDX-License-Identifier: MIT */
/*
 * Options about what the firmware finds.
 */
#include <string.h>
#include <qomet/hw/misc/fw-cfg.h>
#include "backends/read-file.h"
#include "options/options-int.h"

/* Firmware looks for its own files elsewhere; a user's name there may stand in the way of one. */
#define USER_PREFIX "opt/"

bool option_apply_fw_cfg(OptionPlan *plan, OptionWord *word, GError **errp)
{
    const char *name = keyval_take(word->kv, "name");
    const char *file = keyval_take(word->kv, "file");
    const char *string = keyval_take(word->kv, "string");
    FWCfgState *fw_cfg = fw_cfg_find();
    g_autoptr(GBytes) bytes = NULL;

    (void)plan;
    if (!name || !*name) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'name' is missing: write %s", word->option->arg);
        return false;
    }
    if (!file == !string) {
        qom_error_set(errp, QOM_ERROR_VALUE, "one of 'file' and 'string' says what '%s' holds",
                      name);
        return false;
    }
    if (!fw_cfg) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "this machine has no fw_cfg device");
        return false;
    }
    bytes = file ? host_read_file(file, UINT32_MAX, "a fw_cfg file may have", errp)
                 : g_bytes_new(string, strlen(string));
    if (!bytes) {
        return false;
    }
    if (strncmp(name, USER_PREFIX, strlen(USER_PREFIX)) != 0) {
        warn_report("%s: names of your own begin with '" USER_PREFIX "'", word->given);
    }
    return fw_cfg_add_file(fw_cfg, name, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                           errp);
}

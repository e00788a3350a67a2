/* SPDX-License-Identifier: MIT */
/* The chardev that takes everything and says nothing. */
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/module.h>

static bool null_open(Chardev *chr, GError **errp G_GNUC_UNUSED)
{
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static int null_write(Chardev *chr G_GNUC_UNUSED, const uint8_t *buf G_GNUC_UNUSED, int len)
{
    return len;
}

static void null_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->open = null_open;
    cc->chr_write = null_write;
    cc->backend_name = "null";
    cc->help = "takes everything and gives nothing";
}

static const TypeInfo null_types[] = {
    {
        .name = "chardev-null",
        .parent = TYPE_CHARDEV,
        .class_init = null_class_init,
    },
};

DEFINE_TYPES(null_types)

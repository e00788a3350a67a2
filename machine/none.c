/* SPDX-License-Identifier: MIT */
/* The machine "none": no memory, no vCPU, no bus. For asking what the program can do. */
#include <qomet/machine/machine.h>

static void none_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    MACHINE_CLASS(klass)->desc = "empty machine";
}

static const TypeInfo none_types[] = {
    { .name = MACHINE_TYPE_NAME("none"), .parent = TYPE_MACHINE, .class_init = none_class_init },
};
DEFINE_TYPES(none_types)

/* SPDX-License-Identifier: MIT */
/*
 * A device made of words: the one code behind -device and device_add.
 */
#include <string.h>
#include "options/options-int.h"

static bool can_be_added(ObjectClass *klass)
{
    return DEVICE_CLASS(klass)->user_creatable;
}

/* The class of a device that a user may make. */
static DeviceClass *find_driver(const char *name, GError **errp)
{
    g_autoptr(GError) error = NULL;
    ObjectClass *klass = object_class_by_name_err(name, &error);
    g_autofree char *near = NULL;

    if (!klass && error->code != QOM_ERROR_NOT_FOUND) {
        /*
         * There is such a type, and it cannot be made: a parent is missing, its module does not
         * load.
         */
        g_propagate_error(errp, g_steal_pointer(&error));
        return NULL;
    }
    if (!klass || !object_class_dynamic_cast(klass, TYPE_DEVICE)) {
        near = object_class_did_you_mean(name, TYPE_DEVICE, NULL, can_be_added);
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is not a valid device model name%s", name,
                      near);
        return NULL;
    }
    if (object_class_is_abstract(klass)) {
        qom_error_set(
            errp, QOM_ERROR_TYPE,
            "Parameter 'driver' expects a non-abstract device type: there are only devices "
            "of the types derived from '%s'",
            name);
        return NULL;
    }
    if (!DEVICE_CLASS(klass)->user_creatable) {
        qom_error_set(
            errp, QOM_ERROR_STATE,
            "Parameter 'driver' expects a pluggable device type: '%s' is a part of machines", name);
        return NULL;
    }
    return DEVICE_CLASS(klass);
}

static DeviceClass *driver_of(KeyVal *kv, GError **errp)
{
    const char *driver = keyval_take(kv, "driver");

    if (!driver || !*driver) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "Parameter 'driver' is missing: it names the type of the device");
        return NULL;
    }
    return find_driver(driver, errp);
}

bool option_check_device(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    return driver_of(word->kv, errp) &&
           option_id_is_free("/machine/peripheral", keyval_take(word->kv, "id"), errp);
}

/* The bus that is named, which is of the type that @dc needs; or NULL with @errp set. */
static BusState *find_bus(DeviceClass *dc, const char *name, GError **errp)
{
    if (!dc->bus_type) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' sits on no bus, so 'bus' cannot be given",
                      object_class_get_name(OBJECT_CLASS(dc)));
        return NULL;
    }
    return qbus_find(name, dc->bus_type, errp);
}

DeviceState *options_device_add(KeyVal *kv, GError **errp)
{
    DeviceClass *dc = driver_of(kv, errp);
    const char *id = keyval_take(kv, "id");
    const char *bus_name = keyval_take(kv, "bus");
    BusState *bus = NULL;
    DeviceState *dev;

    if (!dc || (id && !id_wellformed(id, errp))) {
        return NULL;
    }
    if (bus_name) {
        bus = find_bus(dc, bus_name, errp);
        if (!bus) {
            return NULL;
        }
    }
    dev = qdev_new(object_class_get_name(OBJECT_CLASS(dc)), errp);
    if (!dev) {
        return NULL;
    }
    if (!qdev_set_id(dev, id, errp) || !keyval_apply(kv, OBJECT(dev), errp) ||
        !qdev_realize(dev, bus, errp)) {
        object_unparent(OBJECT(dev));
        object_unref(dev);
        return NULL;
    }
    object_unref(dev);
    return dev;
}

bool option_apply_device(OptionPlan *plan, OptionWord *word, GError **errp)
{
    DeviceState *dev = options_device_add(word->kv, errp);

    option_made(plan, dev);
    return dev != NULL;
}

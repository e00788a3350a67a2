/* SPDX-License-Identifier: MIT */
/*
 * Properties: named, typed values of objects. Scalars are declared on the class, by type and
 * offset, with a default, a range and a sentence of help; children, aliases and array elements
 * belong to the instance. GVariant is the value at the edges (words, JSON, monitor); the typed
 * accessors read and write the field without making one.
 */
#ifndef QOMET_QOM_PROPERTY_H
#define QOMET_QOM_PROPERTY_H

#include <qomet/qom/object.h>

typedef struct PropertyInfo PropertyInfo;
typedef struct ObjectProperty ObjectProperty;

/** The names of an enumeration, indexed by value. */
typedef struct EnumLookup {
    const char *const *array;
    int size;
} EnumLookup;

/** The address of a network card. */
typedef struct MACAddr {
    uint8_t a[6];
} MACAddr;

/**
 * A list field: elements of one kind (bool, integers, size, string, enum), side by side, owned by
 * the property. As text "1:2:3", the empty list ""; in strings and names ':' is written '\:' and
 * '\' is '\\', and no string is empty.
 */
typedef struct PropertyArray {
    void *data; /* n elements */
    uint32_t n;
} PropertyArray;

/** When a link holds a reference of its own on its target, and when it may change. */
typedef enum ObjectPropertyLinkFlags {
    OBJ_PROP_LINK_WEAK = 0,   /* cleared when the target is unparented or finalized */
    OBJ_PROP_LINK_STRONG = 1, /* keeps the target alive, unless it is the object itself */
} ObjectPropertyLinkFlags;

/**
 * Asked before somebody changes a link to @target (NULL: to nothing); not when the link is cleared
 * by an end.
 */
typedef bool ObjectLinkCheck(Object *obj, const Property *prop, Object *target, GError **errp);
/** The check that lets every change pass. */
QOM_EXPORT bool object_property_allow_set_link(Object *obj, const Property *prop, Object *target,
                                               GError **errp);

/** What kind of C value stands behind a property; the typed accessors switch on it. */
typedef enum PropertyKind {
    PROP_KIND_OTHER, /* only as GVariant */
    PROP_KIND_BOOL,
    PROP_KIND_INT,  /* signed, info->size bytes */
    PROP_KIND_UINT, /* unsigned, info->size bytes */
    PROP_KIND_BIT,  /* one bit (prop->bitnr) of a uint of info->size bytes */
    PROP_KIND_STRING,
    PROP_KIND_ENUM, /* an int */
    PROP_KIND_LINK, /* an Object * */
} PropertyKind;

/**
 * One property of a class. Static, usually written with DEFINE_PROP_*; fields of no meaning to the
 * kind stay 0.
 */
struct Property {
    const char *name;
    const PropertyInfo *info;
    ptrdiff_t offset; /* of the field in the instance */
    const char *help; /* one sentence without a full stop, or NULL */
    union {
        int64_t i;
        uint64_t u;
        const char *s; /* not owned */
    } defval;
    bool set_default; /* defval is written into new instances; of accessors it is only listed */
    bool has_range;   /* min and max hold (set by the typed macros when .max is given) */
    union {
        int64_t i;
        uint64_t u;
    } min, max;
    uint8_t bitnr;                /* PROP_KIND_BIT */
    bool live;                    /* may be set on a realized device, a machine that is made */
    bool read_only;               /* has no setter */
    const EnumLookup *enum_table; /* PROP_KIND_ENUM */
    const char *link_type;        /* PROP_KIND_LINK: the type that a target must have */
    ObjectPropertyLinkFlags link_flags;
    ObjectLinkCheck *link_check; /* or NULL */
    const PropertyInfo *element; /* a list's elements */
    void *opaque;                /* accessor properties: the author's own */
    /*
     * Accessor properties (instead of an offset). get: a floating or full GVariant of the kind's
     * type, taken over by the caller. set: @value is of the kind's type and in its range, and stays
     * the caller's. An error says what is wrong with the value; "property 'x' of 'T': " is put
     * before it. Without set it is read-only, without get write-only.
     */
    GVariant *(*get)(Object *obj, const Property *prop, GError **errp);
    bool (*set)(Object *obj, const Property *prop, GVariant *value, GError **errp);
};

/**
 * A kind of property: how a field becomes a value and back. get, set: as in Property; both NULL: by
 * kind. What a field of kind string or link holds is given back without a release of its own.
 */
struct PropertyInfo {
    const char *name;         /* as listings show it: "uint16" */
    const char *variant_type; /* GVariant type string of its values: "t"; NULL: set() looks */
    PropertyKind kind;
    uint8_t size; /* bytes of an integer field, or of one list element */
    GVariant *(*get)(Object *obj, const Property *prop, GError **errp);
    bool (*set)(Object *obj, const Property *prop, GVariant *value, GError **errp);
    /* Text as a user writes it -> a value of variant_type; NULL: by kind. */
    GVariant *(*parse)(const Property *prop, const char *text, GError **errp);
    /* A value -> text that parse() takes back; NULL: by kind. The caller frees. */
    char *(*print)(const Property *prop, GVariant *value);
    void (*release)(Object *obj, const Property *prop); /* frees what the field owns, or NULL */
};

extern QOM_EXPORT const PropertyInfo prop_info_bool, prop_info_bit, prop_info_int8, prop_info_int16,
    prop_info_int32, prop_info_int64, prop_info_uint8, prop_info_uint16, prop_info_uint32,
    prop_info_uint64, prop_info_size, prop_info_string, prop_info_enum, prop_info_macaddr,
    prop_info_list, prop_info_link, prop_info_accessor_bool, prop_info_accessor_int,
    prop_info_accessor_uint, prop_info_accessor_string;

/**
 * DEFINE_PROP_UINT16("iobase", MyState, iobase, 0xe9, .help = "first port") and so on: name,
 * struct, field, default, then any further fields of Property. PROP_RANGE_U/PROP_RANGE_I(min, max)
 * narrows an integer's range. A field of another type, and a default that the type cannot hold, do
 * not compile (an array of negative size).
 */
#define PROP_DEFAULT_U(ctype, d)                                                                   \
    .set_default = true, .defval.u = (d) + 0 * sizeof(char[(ctype)(d) == (d) ? 1 : -1])
#define PROP_DEFAULT_I(ctype, d)                                                                   \
    .set_default = true, .defval.i = (d) + 0 * (int64_t)sizeof(char[(ctype)(d) == (d) ? 1 : -1])
#define DEFINE_PROP_(n, s, f, ctype, pinfo, ...)                                                   \
    {                                                                                              \
        .name = (n), .info = &(pinfo),                                                             \
        .offset =                                                                                  \
            offsetof(s, f) +                                                                       \
            0 * sizeof(                                                                            \
                    char[__builtin_types_compatible_p(ctype, __typeof__(((s *)0)->f)) ? 1 : -1]),  \
        __VA_ARGS__                                                                                \
    }
#define DEFINE_PROP_BOOL(n, s, f, d, ...)                                                          \
    DEFINE_PROP_(n, s, f, bool, prop_info_bool, .set_default = true, .defval.u = (d), ##__VA_ARGS__)
#define DEFINE_PROP_INT8(n, s, f, d, ...)                                                          \
    DEFINE_PROP_(n, s, f, int8_t, prop_info_int8, PROP_DEFAULT_I(int8_t, d), ##__VA_ARGS__)
#define DEFINE_PROP_INT16(n, s, f, d, ...)                                                         \
    DEFINE_PROP_(n, s, f, int16_t, prop_info_int16, PROP_DEFAULT_I(int16_t, d), ##__VA_ARGS__)
#define DEFINE_PROP_INT32(n, s, f, d, ...)                                                         \
    DEFINE_PROP_(n, s, f, int32_t, prop_info_int32, PROP_DEFAULT_I(int32_t, d), ##__VA_ARGS__)
#define DEFINE_PROP_INT64(n, s, f, d, ...)                                                         \
    DEFINE_PROP_(n, s, f, int64_t, prop_info_int64, PROP_DEFAULT_I(int64_t, d), ##__VA_ARGS__)
#define DEFINE_PROP_UINT8(n, s, f, d, ...)                                                         \
    DEFINE_PROP_(n, s, f, uint8_t, prop_info_uint8, PROP_DEFAULT_U(uint8_t, d), ##__VA_ARGS__)
#define DEFINE_PROP_UINT16(n, s, f, d, ...)                                                        \
    DEFINE_PROP_(n, s, f, uint16_t, prop_info_uint16, PROP_DEFAULT_U(uint16_t, d), ##__VA_ARGS__)
#define DEFINE_PROP_UINT32(n, s, f, d, ...)                                                        \
    DEFINE_PROP_(n, s, f, uint32_t, prop_info_uint32, PROP_DEFAULT_U(uint32_t, d), ##__VA_ARGS__)
#define DEFINE_PROP_UINT64(n, s, f, d, ...)                                                        \
    DEFINE_PROP_(n, s, f, uint64_t, prop_info_uint64, PROP_DEFAULT_U(uint64_t, d), ##__VA_ARGS__)
#define DEFINE_PROP_SIZE(n, s, f, d, ...)                                                          \
    DEFINE_PROP_(n, s, f, uint64_t, prop_info_size, .set_default = true, .defval.u = (d),          \
                 ##__VA_ARGS__)
#define DEFINE_PROP_BIT(n, s, f, bit, d, ...)                                                      \
    DEFINE_PROP_(n, s, f, uint32_t, prop_info_bit, .set_default = true, .defval.u = (d),           \
                 .bitnr = (bit), ##__VA_ARGS__)
/**
 * The field is a char * that the property owns; no default (NULL) unless .set_default and .defval.s
 * are given.
 */
#define DEFINE_PROP_STRING(n, s, f, ...)                                                           \
    DEFINE_PROP_(n, s, f, char *, prop_info_string, ##__VA_ARGS__)
/** The field is an int. */
#define DEFINE_PROP_ENUM(n, s, f, table, d, ...)                                                   \
    DEFINE_PROP_(n, s, f, int, prop_info_enum, .enum_table = &(table), .set_default = true,        \
                 .defval.i = (d), ##__VA_ARGS__)
#define DEFINE_PROP_MACADDR(n, s, f, ...)                                                          \
    DEFINE_PROP_(n, s, f, MACAddr, prop_info_macaddr, ##__VA_ARGS__)
/** The field is a PropertyArray of elements of the kind @einfo; on the command line: name=1:2:3. */
#define DEFINE_PROP_LIST(n, s, f, einfo, ...)                                                      \
    DEFINE_PROP_(n, s, f, PropertyArray, prop_info_list, .element = &(einfo), ##__VA_ARGS__)
/**
 * The field is a pointer to an instance of the type @tname; its reference (strong) belongs to the
 * property.
 */
#define DEFINE_PROP_LINK(n, s, f, tname, ptrtype, ...)                                             \
    DEFINE_PROP_(n, s, f, ptrtype, prop_info_link, .link_type = (tname),                           \
                 .link_flags = OBJ_PROP_LINK_STRONG, ##__VA_ARGS__)
#define PROP_RANGE_U(lo, hi) .has_range = true, .min.u = (lo), .max.u = (hi)
#define PROP_RANGE_I(lo, hi) .has_range = true, .min.i = (lo), .max.i = (hi)

/* ---- On the class (only inside class_init) --------------------------------------------------- */

/**
 * Adds @n static properties; a name that the class has already is replaced in its place (a child
 * class may change a default). They are kept by pointer, for as long as the process lives.
 */
QOM_EXPORT void object_class_add_properties(ObjectClass *klass, const Property *props, size_t n);
/** The property @name of @klass, inherited ones included, or NULL. Any thread. */
QOM_EXPORT const Property *object_class_property_find(ObjectClass *klass, const char *name);
/**
 * Writes "type" as listings show it ("uint16", "link<chardev>", "str") - a static or interned
 * string.
 */
QOM_EXPORT const char *object_property_type_name(const Property *prop);
/** The default as a value, a full reference, or NULL when there is none. */
QOM_EXPORT GVariant *object_property_default(const Property *prop);
/** The default as text, or NULL when there is none; the caller frees. */
QOM_EXPORT char *object_property_default_text(const Property *prop);

/**
 * Changes the default of @prop to what @text says: of a copy of a class's property, for a class made
 * from that one. What has no default of its own (a list, a link, an accessor's field) is only
 * checked, and listed where that can be. False with @errp set when the property does not take it.
 */
QOM_EXPORT bool object_property_set_default_text(Property *prop, const char *text,
                                                 GError **errp) G_GNUC_WARN_UNUSED_RESULT;

/* ---- On the instance ------------------------------------------------------------------------- */

/*
 * Main thread, but for the typed accessors of class properties that are bools and numbers in a
 * field: those may be called from any thread that holds a reference, and take no lock.
 * An unknown name: "Property 'T.iobse' not found (did you mean 'iobase'?)", T being the type. A bad
 * value: "property 'iobase' of 'T': '70000' is out of range, accepted are 0 to 65535".
 */

/** Where an iteration over the properties of an object stands; private. */
typedef struct ObjectPropertyIterator {
    Object *obj;
    unsigned next; /* in the list of the class */
    GList *link;   /* then in the instance's own */
} ObjectPropertyIterator;

/** One property as an iteration shows it. */
typedef struct ObjectPropertyView {
    const char *name;
    const char *type;        /* "uint16", "child<isa-serial>", "alias<...>" */
    const char *description; /* or NULL */
    const Property *prop;    /* NULL for children and aliases */
    Object *child;           /* for children, without a reference */
    bool instance;           /* belongs to this instance, not to its class */
    bool settable;
} ObjectPropertyView;

/**
 * Class properties first, base class first, then those of the instance in order of addition. The
 * instance property just shown may be deleted.
 */
QOM_EXPORT void object_property_iter_init(ObjectPropertyIterator *iter, Object *obj);
/** The same without those of the class. */
QOM_EXPORT void object_property_iter_init_instance(ObjectPropertyIterator *iter, Object *obj);
QOM_EXPORT bool object_property_iter_next(ObjectPropertyIterator *iter, ObjectPropertyView *view);

/**
 * Writes what the property @view of @obj holds as JSON behind @out: as json_from_variant() does with
 * object_property_get(), and null where it cannot be read.
 */
QOM_EXPORT void object_property_append_json(Object *obj, const ObjectPropertyView *view,
                                            GString *out);

/**
 * The property @target_name of @target, seen as @name of @obj. @target must outlive @obj (be above
 * or beside it).
 */
QOM_EXPORT bool object_property_add_alias(Object *obj, const char *name, Object *target,
                                          const char *target_name, GError **errp);
/**
 * A link of the instance: @slot points into @obj and holds the target or NULL. @check may be NULL.
 */
QOM_EXPORT bool object_property_add_link(Object *obj, const char *name, const char *type,
                                         Object **slot, ObjectLinkCheck *check,
                                         ObjectPropertyLinkFlags flags, GError **errp);
/**
 * An instance property like @prop, which is copied but for the strings and tables other than the
 * name. Its name may end in "[*]". For arrays made per instance; the default is not written.
 */
QOM_EXPORT bool object_property_add(Object *obj, const Property *prop, GError **errp);
/** Removes an alias, link or array element of the instance (children: object_unparent()). */
QOM_EXPORT bool object_property_del(Object *obj, const char *name, GError **errp);
/** Whether the object has a property of that name, of either sort. */
QOM_EXPORT bool object_property_exists(Object *obj, const char *name);

/*
 * Setting and getting: main thread, outside devices. An accessor of a realized device that touches
 * what its register methods use enters the device's guard itself.
 */

/**
 * Sets @name from a typed value (sunk). Integers of any width are taken when they fit; null (an
 * empty maybe) unsets a string or a link; nothing else is converted.
 * Fails, with the object unchanged, for an unknown name (nearest given), a wrong kind, a value out
 * of range, a read-only property, or one that the class forbids now. The message names object,
 * property, value, what is accepted.
 */
QOM_EXPORT bool object_property_set(Object *obj, const char *name, GVariant *value,
                                    GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/**
 * The value, a full reference owned by the caller; children and links give their path ("" for
 * none).
 */
QOM_EXPORT GVariant *object_property_get(Object *obj, const char *name, GError **errp);
/**
 * Sets @name from text as on the command line (on/off, 0x.., 4K, a path, a:b:c; see value.h). Fails
 * as above.
 */
QOM_EXPORT bool object_property_parse(Object *obj, const char *name, const char *text,
                                      GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** The value as text that object_property_parse() takes back; the caller frees. */
QOM_EXPORT char *object_property_print(Object *obj, const char *name, GError **errp);

/*
 * Typed accessors; they fail as the above do (a failed get returns false, 0 or NULL). get_str
 * returns a copy (NULL with no error for an unset string); set_str takes NULL to unset. get_link
 * returns a pointer without a reference, of a child too.
 */
QOM_EXPORT bool object_property_set_bool(Object *obj, const char *name, bool value,
                                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;
QOM_EXPORT bool object_property_set_int(Object *obj, const char *name, int64_t value,
                                        GError **errp) G_GNUC_WARN_UNUSED_RESULT;
QOM_EXPORT bool object_property_set_uint(Object *obj, const char *name, uint64_t value,
                                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;
QOM_EXPORT bool object_property_set_str(Object *obj, const char *name, const char *value,
                                        GError **errp) G_GNUC_WARN_UNUSED_RESULT;
QOM_EXPORT bool object_property_set_link(Object *obj, const char *name, Object *value,
                                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;
QOM_EXPORT bool object_property_get_bool(Object *obj, const char *name, GError **errp);
QOM_EXPORT int64_t object_property_get_int(Object *obj, const char *name, GError **errp);
QOM_EXPORT uint64_t object_property_get_uint(Object *obj, const char *name, GError **errp);
QOM_EXPORT char *object_property_get_str(Object *obj, const char *name, GError **errp);
QOM_EXPORT Object *object_property_get_link(Object *obj, const char *name, GError **errp);

/* ---- Global properties ("-global driver.prop=value") ----------------------------------------- */

/**
 * Remembers that objects of @driver (and of types below it) made later get @property = @text. The
 * later of two wins.
 */
QOM_EXPORT void object_global_add(const char *driver, const char *property, const char *text);
/**
 * Applies the globals to @obj, oldest first; called once for each new device and user-creatable
 * object. One that does not fit is an error that begins with "-global driver.prop=text: ".
 */
QOM_EXPORT bool object_apply_global_props(Object *obj, GError **errp);
/** Calls @fn for every global that no object has used. */
QOM_EXPORT void object_global_foreach_unused(void (*fn)(const char *driver, const char *property,
                                                        const char *text, void *opaque),
                                             void *opaque);
/** Forgets all globals (end of the process, tests). */
QOM_EXPORT void object_global_clear(void);

#endif

/* SPDX-License-Identifier: MIT */
/* A memory listener that writes down what it hears. */
#ifndef QOMET_TESTS_UNIT_MEMORY_EAR_H
#define QOMET_TESTS_UNIT_MEMORY_EAR_H

#include "tests/unit/memory-fixture.h"

/* A listener that writes down what it hears: b(egin) -(del) +(add) =(nop) e(ventfd) c(ommit). */
typedef struct Ear {
    MemoryListener listener;
    GString *said;
    char name; /* written before each sign, unless 0 */
    AddressSpace *as;
} Ear;

static G_GNUC_UNUSED Ear *ear_of(MemoryListener *l)
{
    return (Ear *)l;
}

static G_GNUC_UNUSED void say(MemoryListener *l, const char *sign)
{
    if (ear_of(l)->name) {
        g_string_append_c(ear_of(l)->said, ear_of(l)->name);
    }
    g_string_append(ear_of(l)->said, sign);
}

static G_GNUC_UNUSED void say_section(MemoryListener *l, const char *sign,
                                      const MemoryRegionSection *s)
{
    assert_ptr_equal(s->as, ear_of(l)->as);
    say(l, sign);
    g_string_append_printf(ear_of(l)->said, "%s@%lx+%lx:%lx%s%s ", memory_region_name(s->mr),
                           (unsigned long)s->offset_within_address_space, (unsigned long)s->size,
                           (unsigned long)s->offset_within_region, s->ram ? "m" : "",
                           s->readonly ? "r" : "");
}

static G_GNUC_UNUSED void on_begin(MemoryListener *l)
{
    say(l, "b ");
}

static G_GNUC_UNUSED void on_commit(MemoryListener *l)
{
    say(l, "c ");
}

static G_GNUC_UNUSED void on_add(MemoryListener *l, const MemoryRegionSection *s)
{
    say_section(l, "+", s);
}

static G_GNUC_UNUSED void on_del(MemoryListener *l, const MemoryRegionSection *s)
{
    say_section(l, "-", s);
}

static G_GNUC_UNUSED void on_nop(MemoryListener *l, const MemoryRegionSection *s)
{
    say_section(l, "=", s);
}

static G_GNUC_UNUSED bool on_eventfd_add(MemoryListener *l, const MemoryRegionSection *s,
                                         const MemoryRegionIoeventfd *e)
{
    assert_int_equal(s->offset_within_address_space, e->addr);
    say(l, "e+");
    g_string_append_printf(ear_of(l)->said, "%lx/%u/%ld ", (unsigned long)e->addr, e->size,
                           e->match_data ? (long)e->data : -1);
    return e->size != 8;
}

static G_GNUC_UNUSED void on_eventfd_del(MemoryListener *l, const MemoryRegionSection *s,
                                         const MemoryRegionIoeventfd *e)
{
    assert_int_equal(s->offset_within_address_space, e->addr);
    say(l, "e-");
    g_string_append_printf(ear_of(l)->said, "%lx/%u/%ld ", (unsigned long)e->addr, e->size,
                           e->match_data ? (long)e->data : -1);
}

static const MemoryListener all_ears = {
    .begin = on_begin,
    .commit = on_commit,
    .region_add = on_add,
    .region_del = on_del,
    .eventfd_add = on_eventfd_add,
    .eventfd_del = on_eventfd_del,
};

static G_GNUC_UNUSED void ear_open(Ear *ear, AddressSpace *as)
{
    ear->listener = all_ears;
    ear->said = g_string_new(NULL);
    ear->as = as;
}

static G_GNUC_UNUSED void assert_said(Ear *ear, const char *what)
{
    assert_string_equal(ear->said->str, what);
    g_string_truncate(ear->said, 0);
}

static G_GNUC_UNUSED void ear_close(Ear *ear)
{
    g_string_free(ear->said, TRUE);
}

#endif

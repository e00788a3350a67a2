/* SPDX-License-Identifier: MIT */
/*
 * The accelerator "kvm": opening the device and the virtual machine. Nothing is guessed from the
 * processor: each step is tried, and the one that fails is named together with what can be done
 * about it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "accel/cpu-int.h"
#include "accel/kvm/kvm-int.h"

static bool open_device(KVMState *s, GError **errp)
{
    const char *advice;

    s->fd = open(s->device, O_RDWR | O_CLOEXEC);
    if (s->fd >= 0) {
        return true;
    }
    switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        advice = "load KVM (modprobe kvm_intel or kvm_amd), enable virtualisation in the firmware, "
                 "or run with "
                 "-accel qtest";
        break;
    case EACCES:
    case EPERM:
        advice = "join the group that owns it (usually: usermod -aG kvm $USER, then log in again)";
        break;
    default:
        advice = "run with -accel qtest to do without";
    }
    qom_error_set(errp, QOM_ERROR_FAILED, "cannot open %s: %s; %s", s->device, g_strerror(errno),
                  advice);
    return false;
}

static bool check_version(KVMState *s, GError **errp)
{
    int version = ioctl(s->fd, KVM_GET_API_VERSION, 0);

    if (version < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "%s is not KVM: it has no API version (%s); -accel kvm,device=PATH names it",
                      s->device, g_strerror(errno));
        return false;
    }
    if (version != KVM_API_VERSION) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "%s has API version %d, but version %d is needed: use a kernel of 2.6.22 or "
                      "later that keeps it",
                      s->device, version, KVM_API_VERSION);
        return false;
    }
    return true;
}

static bool create_vm(KVMState *s, GError **errp)
{
    do {
        s->vm = ioctl(s->fd, KVM_CREATE_VM, 0);
    } while (s->vm < 0 && errno == EINTR);
    if (s->vm < 0) {
        qom_error_set(
            errp, QOM_ERROR_FAILED, "%s refuses to make a virtual machine (KVM_CREATE_VM): %s%s",
            s->device, g_strerror(errno),
            errno == EBUSY ? "; another hypervisor holds the processor, end it first" : "");
        return false;
    }
    return true;
}

static bool check_capabilities(KVMState *s, GError **errp)
{
    static const struct {
        int cap;
        const char *name;
    } needed[] = {
        { KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
        { KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
        { KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR" },
        { KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
        { KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE" },
    };
    int size;

    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++) {
        if (ioctl(s->vm, KVM_CHECK_EXTENSION, needed[i].cap) <= 0) {
            qom_error_set(errp, QOM_ERROR_FAILED,
                          "%s lacks %s: a newer kernel is needed (4.13 or later)", s->device,
                          needed[i].name);
            return false;
        }
    }
    s->readonly_slots = ioctl(s->vm, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) > 0;
    s->ioeventfd = ioctl(s->vm, KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD) > 0;
    s->ioeventfd_any_length = ioctl(s->vm, KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD_ANY_LENGTH) > 0;
    size = ioctl(s->vm, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2);
    s->debug_blocks_irqs = size > 0 && size & KVM_GUESTDBG_BLOCKIRQ;
    size = ioctl(s->vm, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
    s->max_slots = size > 0 ? size : 32;
    size = ioctl(s->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run)) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "%s gives no room for a vCPU's state (KVM_GET_VCPU_MMAP_SIZE): %s", s->device,
                      size < 0 ? g_strerror(errno) : "too small");
        return false;
    }
    s->run_size = size;
    return true;
}

static bool place_real_mode_pages(KVMState *s, GError **errp)
{
    uint64_t map = KVM_IDENTITY_MAP_ADDR;

    if (ioctl(s->vm, KVM_CHECK_EXTENSION, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 &&
        ioctl(s->vm, KVM_SET_IDENTITY_MAP_ADDR, &map) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM_SET_IDENTITY_MAP_ADDR: %s", g_strerror(errno));
        return false;
    }
    if (ioctl(s->vm, KVM_SET_TSS_ADDR, (unsigned long)KVM_TSS_ADDR) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM_SET_TSS_ADDR: %s", g_strerror(errno));
        return false;
    }
    return true;
}

static void on_ipi(int signal)
{
    (void)signal;
}

/*
 * The handler need not do anything: that there is one makes KVM_RUN return, and other calls go on
 * (SA_RESTART).
 */
static bool install_kick(GError **errp)
{
    struct sigaction action = { .sa_handler = on_ipi, .sa_flags = SA_RESTART };

    sigemptyset(&action.sa_mask);
    if (sigaction(SIG_IPI, &action, NULL) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "no handler for the signal that stops vCPUs: %s",
                      g_strerror(errno));
        return false;
    }
    return true;
}

static bool kvm_init(AccelState *accel, GError **errp)
{
    KVMState *s = KVM_ACCEL(accel);

    if (!open_device(s, errp) || !check_version(s, errp) || !create_vm(s, errp) ||
        !check_capabilities(s, errp) || !place_real_mode_pages(s, errp) || !install_kick(errp)) {
        return false;
    }
    s->memory = kvm_memory_new(s);
    return true;
}

static void kvm_reset(AccelState *accel)
{
    kvm_irqchip_reset(KVM_ACCEL(accel));
    kvm_pit_reset(KVM_ACCEL(accel));
}

static void kvm_instance_init(Object *obj)
{
    KVMState *s = (KVMState *)obj;

    s->fd = s->vm = -1;
    pthread_mutex_init(&s->cpuid_lock, NULL);
}

static void kvm_instance_finalize(Object *obj)
{
    KVMState *s = (KVMState *)obj;

    if (s->memory) {
        kvm_memory_free(s->memory);
    }
    g_free(s->chips);
    kvm_routes_free(s);
    g_free(s->pit);
    g_free(s->cpuid);
    pthread_mutex_destroy(&s->cpuid_lock);
    if (s->vm >= 0) {
        close(s->vm);
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
}

static GVariant *get_exit_timing(Object *obj, const Property *prop, GError **errp)
{
    (void)obj;
    (void)prop;
    (void)errp;
    return g_variant_new_boolean(exit_observers() & EXIT_TIMING);
}

static bool set_exit_timing(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    (void)obj;
    (void)prop;
    return exit_observe(EXIT_TIMING, g_variant_get_boolean(value), errp);
}

static const Property kvm_props[] = {
    { .name = "exit-timing",
      .info = &prop_info_accessor_bool,
      .live = true,
      .help = "count the time that exits take by object (property access-ns of each device)",
      .get = get_exit_timing,
      .set = set_exit_timing },
    DEFINE_PROP_STRING("device", KVMState, device, .set_default = true, .defval.s = "/dev/kvm",
                       .help = "the device file of KVM"),
};

static void kvm_class_init(ObjectClass *klass, const void *data)
{
    AccelClass *ac = ACCEL_CLASS(klass);

    (void)data;
    object_class_add_properties(klass, kvm_props, G_N_ELEMENTS(kvm_props));
    ac->name = "kvm";
    ac->help = "the processor itself, through Linux's KVM";
    ac->has_cpus = true;
    ac->init = kvm_init;
    ac->reset = kvm_reset;
    ac->reset_done = kvm_reset_done;
    ac->create_irqchip = kvm_create_irqchip;
    ac->print_irqchip = kvm_print_irqchip;
    ac->create_apics = kvm_create_apics;
    ac->pin_set = kvm_pin_set;
    ac->create_pit = kvm_create_pit;
    ac->set_irq = kvm_set_irq;
    ac->send_msi = kvm_send_msi;
    ac->route_add = kvm_route_add;
    ac->route_set = kvm_route_set;
    ac->route_del = kvm_route_del;
    ac->irqfd = kvm_irqfd;
    ac->cpu_init = kvm_cpu_init;
    ac->cpu_destroy = kvm_cpu_destroy;
    ac->cpu_exec = kvm_cpu_exec;
    ac->cpu_kick = kvm_cpu_kick;
    ac->inject_nmi = kvm_cpu_inject_nmi;
    ac->cpu_waits = kvm_cpu_waits;
    ac->get_registers = kvm_get_registers;
    ac->put_registers = kvm_put_registers;
    ac->get_extended = kvm_get_extended;
    ac->put_extended = kvm_put_extended;
    ac->debug_update = kvm_debug_update;
    ac->debug_meets = kvm_debug_meets;
}

static const TypeInfo kvm_types[] = {
    {
        .name = TYPE_KVM_ACCEL,
        .parent = TYPE_ACCEL,
        .instance_size = sizeof(KVMState),
        .instance_init = kvm_instance_init,
        .instance_finalize = kvm_instance_finalize,
        .class_init = kvm_class_init,
    },
};
DEFINE_TYPES(kvm_types)

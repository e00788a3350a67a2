/* SPDX-License-Identifier: MIT */
/*
 * The 16550A: a stream of bytes is read as accesses of its registers, bytes from the host, and time
 * that passes. After each step its state is consistent: FIFOs in their bounds, the line as the
 * registers say, and nothing that waits for room although there is some.
 */
#include <linux/serial_reg.h>
#include <qomet/hw/char/serial.h>
#include <qomet/hw/core/resettable.h>
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/memory/main-work.h>
#include "machine/rooms.h"
#include "tests/unit/host-chardev.h"
#include "tests/fuzz/fuzz.h"

#define TYPE_FUZZ_SERIAL "fuzz-serial"
#define PORT 0x3f8

/* A serial port whose registers the target can look at without touching them. */
typedef struct FuzzSerial {
    ISADevice parent_obj;
    SerialState state;
} FuzzSerial;

static FuzzSerial *device;
static SerialState *s;
static TestChardev *host;
static int line;

/* ---- The device ---- */

static bool fuzz_serial_realize(DeviceState *dev, GError **errp)
{
    FuzzSerial *f = (FuzzSerial *)dev;

    if (!isa_connect_gpio_out(ISA_DEVICE(dev), "irq", 0, 4, errp) ||
        !isa_register_ioport(ISA_DEVICE(dev), &f->state.io, PORT, errp)) {
        return false;
    }
    serial_start(&f->state, dev);
    return true;
}

static void fuzz_serial_init(Object *obj)
{
    serial_init(&((FuzzSerial *)obj)->state, DEVICE(obj));
}

static void fuzz_serial_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    serial_reset(&((FuzzSerial *)obj)->state);
}

static const Property fuzz_serial_props[] = {
    DEFINE_PROP_CHR("chardev", FuzzSerial, state.chr),
};

static void fuzz_serial_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DEVICE_CLASS(klass)->realize = fuzz_serial_realize;
    device_class_set_reset(DEVICE_CLASS(klass), fuzz_serial_reset);
    device_class_set_props(DEVICE_CLASS(klass), fuzz_serial_props);
}

static const TypeInfo fuzz_serial_types[] = {
    {
        .name = TYPE_FUZZ_SERIAL,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(FuzzSerial),
        .instance_init = fuzz_serial_init,
        .class_init = fuzz_serial_class_init,
    },
};

DEFINE_TYPES(fuzz_serial_types)

static void set_line(void *opaque G_GNUC_UNUSED, int n G_GNUC_UNUSED, int level)
{
    line = level;
}

static void make_machine(void)
{
    qemu_irq lines[ISA_NUM_IRQS] = { NULL };
    DeviceState *dev;
    ISABus *isa;

    MUST(rooms_begin(NULL));
    qemu_clock_virtual_manual();
    isa = isa_bus_new(NULL, get_system_io(), NULL);
    lines[4] = qemu_allocate_irq(set_line, NULL, 4);
    isa_bus_register_input_irqs(isa, lines, ISA_NUM_IRQS);
    host = test_chr("host");
    dev = qdev_new(TYPE_FUZZ_SERIAL, NULL);
    MUST(dev && object_property_set_str(OBJECT(dev), "chardev", "host", NULL));
    device = (FuzzSerial *)dev;
    s = &device->state;
    MUST(qdev_realize_and_unref(dev, &isa->parent_obj, NULL));
}

/* ---- What holds after each step ---- */

static uint8_t expected_interrupt(void)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };
    bool fifo = s->fcr & UART_FCR_ENABLE_FIFO;

    if ((s->ier & UART_IER_RLSI) && s->line_errors) {
        return 0x06;
    }
    if ((s->ier & UART_IER_RDI) && s->timeout_pending) {
        return 0x0c;
    }
    if ((s->ier & UART_IER_RDI) && s->rx_count >= (fifo ? levels[s->fcr >> 6] : 1)) {
        return 0x04;
    }
    if ((s->ier & UART_IER_THRI) && s->thr_empty_pending) {
        return 0x02;
    }
    return (s->ier & UART_IER_MSI) && (s->msr & 0x0f) ? 0x00 : 0x01;
}

static void check_state(void)
{
    bool fifo = s->fcr & UART_FCR_ENABLE_FIFO;
    unsigned depth = fifo ? SERIAL_FIFO_BYTES : 1;

    MUST(s->rx_count <= depth && s->tx_count <= depth);
    MUST(s->rx_head < SERIAL_FIFO_BYTES && s->tx_head < SERIAL_FIFO_BYTES);
    MUST(!(s->ier & 0xf0) && !(s->mcr & 0xe0) && !(s->line_errors & ~0x1e));
    MUST(fifo || !(s->fcr | s->timeout_pending));
    MUST(!s->timeout_pending || s->rx_count);
    /* What is to be sent waits for the host alone. */
    MUST(!s->tx_count || s->tsr_full);
    MUST(!s->thr_empty_pending || !s->tx_count);
    MUST(line == !(expected_interrupt() & 1));
    if (!(s->mcr & UART_MCR_LOOP)) {
        MUST((s->msr & 0xf0) == (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS));
    }
}

/*
 * When main has had its turn, input waits only for want of room, and output for a host that takes
 * none.
 */
static void check_settled(void)
{
    main_work_run();
    check_state();
    MUST(host->typed->len == 0 || (s->mcr & UART_MCR_LOOP) ||
         s->rx_count == (s->fcr & UART_FCR_ENABLE_FIFO ? SERIAL_FIFO_BYTES : 1));
    MUST(host->room == 0 || !s->tsr_full);
}

/* ---- Steps ---- */

static uint64_t access_port(unsigned offset, unsigned size, bool write, uint64_t value)
{
    if (write) {
        address_space_store(&address_space_io, PORT + offset, size, value, MEMTXATTRS_UNSPECIFIED);
    } else {
        address_space_load(&address_space_io, PORT + offset, size, &value, MEMTXATTRS_UNSPECIFIED);
    }
    return value;
}

static void read_register(unsigned reg)
{
    bool fifo = s->fcr & UART_FCR_ENABLE_FIFO;
    uint8_t interrupt = expected_interrupt(), before = s->rx_count;
    bool dlab = s->lcr & UART_LCR_DLAB;
    uint8_t value = access_port(reg, 1, false, 0);

    switch (reg) {
    case UART_RX:
        MUST(dlab || s->rx_count == (before ? before - 1 : 0));
        break;
    case UART_IIR:
        MUST((value & 0x0f) == interrupt && value >> 6 == (fifo ? 3 : 0));
        break;
    case UART_LSR:
        MUST(!!(value & UART_LSR_DR) == (s->rx_count > 0));
        MUST(!!(value & UART_LSR_THRE) == !s->tx_count);
        MUST(!!(value & UART_LSR_TEMT) == !(s->tx_count || s->tsr_full));
        MUST(fifo || !(value & UART_LSR_FIFOE));
        MUST(!s->line_errors);
        break;
    case UART_MSR:
        MUST(!(s->msr & 0x0f));
        break;
    }
}

/* The host takes nothing, not even into the chardev's queue, or all again. */
static void set_host(bool deaf)
{
    static const uint8_t filler[CHR_OUT_BYTES];

    if (deaf) {
        host->room = 0;
        qemu_chr_fe_write(&s->chr, filler, sizeof(filler));
    } else {
        take_output(host, -1);
    }
}

/* One step from the @size bytes at @data; how many of them it took. */
static size_t step(const uint8_t *data, size_t size)
{
    uint8_t op = data[0], arg = op & 0x1f;
    uint64_t value = 0;
    size_t n;

    switch (op >> 5) {
    case 0:
    case 1:
        access_port(op & 7, 1, true, size > 1 ? data[1] : 0);
        return 2;
    case 2:
        read_register(op & 7);
        return 1;
    case 3:
        n = MIN((size_t)arg, size - 1);
        type_bytes(host, data + 1, n);
        return 1 + n;
    case 4:
        qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + (int64_t)arg * arg * 10000);
        return 1;
    case 5:
        if (arg & 1) {
            qemu_chr_be_event(&host->parent_obj, CHR_EVENT_BREAK);
        } else if (arg & 2) {
            check_settled();
        } else if (arg == 0) {
            resettable_reset(OBJECT(device), RESET_TYPE_COLD);
        } else {
            set_host(arg & 4);
        }
        return 1;
    case 6:
        n = MIN(sizeof(value), size - 1);
        memcpy(&value, data + 1, n);
        access_port((op >> 2) & 7, 1 << (op & 3), true, value);
        return 1 + n;
    default:
        access_port((op >> 2) & 7, 1 << (op & 3), false, 0);
        return 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!device) {
        make_machine();
    }
    while (size) {
        size_t n = step(data, size);

        check_state();
        n = MIN(n, size);
        data += n;
        size -= n;
    }
    check_settled();

    /* The next input finds it as new. */
    g_byte_array_set_size(host->typed, 0);
    set_host(false);
    resettable_reset(OBJECT(device), RESET_TYPE_COLD);
    check_settled();
    g_string_truncate(host->sent, 0);
    return 0;
}

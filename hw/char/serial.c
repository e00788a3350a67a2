/* SPDX-License-Identifier: MIT */
/*
 * The 16550A UART: registers, FIFOs, interrupts. A byte is sent as soon as the chardev takes it,
 * whatever the baud rate; the rate only paces the receiver's time-out. Section numbers: PC16550D
 * data sheet.
 */
#include "config.h"

#include <linux/serial_reg.h>
#include <string.h>
#include <qomet/hw/char/serial.h>

#define CLOCK_HZ 1843200
#define LINE_ERRORS (UART_LSR_OE | UART_LSR_PE | UART_LSR_FE | UART_LSR_BI)
#define IER_BITS 0x0f
#define MCR_BITS 0x1f
#define MSR_DELTAS 0x0f
#define IIR_TIMEOUT 0x0c
#define IIR_FIFOS 0xc0

static bool fifo_mode(const SerialState *s)
{
    return s->fcr & UART_FCR_ENABLE_FIFO;
}

static bool loopback(const SerialState *s)
{
    return s->mcr & UART_MCR_LOOP;
}

static unsigned fifo_depth(const SerialState *s)
{
    return fifo_mode(s) ? SERIAL_FIFO_BYTES : 1;
}

/* ---- Interrupts (8.6, table IV) ---- */

static unsigned rx_trigger(const SerialState *s)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return fifo_mode(s) ? levels[s->fcr >> 6] : 1;
}

/* The pending interrupt of the highest priority; bit 0 means none. */
static uint8_t interrupt_id(const SerialState *s)
{
    if ((s->ier & UART_IER_RLSI) && s->line_errors) {
        return UART_IIR_RLSI;
    }
    if ((s->ier & UART_IER_RDI) && s->timeout_pending) {
        return IIR_TIMEOUT;
    }
    if ((s->ier & UART_IER_RDI) && s->rx_count >= rx_trigger(s)) {
        return UART_IIR_RDI;
    }
    if ((s->ier & UART_IER_THRI) && s->thr_empty_pending) {
        return UART_IIR_THRI;
    }
    if ((s->ier & UART_IER_MSI) && (s->msr & MSR_DELTAS)) {
        return UART_IIR_MSI;
    }
    return UART_IIR_NO_INT;
}

/*
 * Boards of the PC gate the line with OUT2; as in QEMU it is not gated here, so a guest may leave
 * OUT2 alone.
 */
static void update_irq(SerialState *s)
{
    uint8_t level = !(interrupt_id(s) & UART_IIR_NO_INT);

    if (level != s->irq_level) {
        s->irq_level = level;
        qemu_set_irq(s->irq, level);
    }
}

/* ---- Receiver ---- */

/*
 * The time of four characters in ns (8.11): start bit, data, parity, stop bits, each of 16 clocks
 * of the divisor.
 */
static int64_t timeout_ns(const SerialState *s)
{
    int64_t bits = 1 + 5 + (s->lcr & UART_LCR_WLEN8) + !!(s->lcr & UART_LCR_PARITY) + 1 +
                   !!(s->lcr & UART_LCR_STOP);

    return 4 * bits * MAX(s->divisor, 1) * 16 * NANOSECONDS_PER_SECOND / CLOCK_HZ;
}

/* A byte came or was read: the time without either begins anew (8.11). */
static void restart_timeout(SerialState *s)
{
    if (fifo_mode(s) && s->rx_count) {
        timer_mod(&s->timeout, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + timeout_ns(s));
    } else {
        timer_del(&s->timeout);
    }
}

static void receive_timeout(void *opaque)
{
    SerialState *s = opaque;

    s->timeout_pending = fifo_mode(s) && s->rx_count;
    update_irq(s);
}

/* Errors show in the LSR when their character is at the top of the FIFO (8.4). */
static void show_errors(SerialState *s)
{
    s->line_errors |= s->rx_errors[s->rx_head];
}

static void receive(SerialState *s, uint8_t byte, uint8_t errors)
{
    unsigned place = (s->rx_head + s->rx_count) % SERIAL_FIFO_BYTES;

    if (s->rx_count == fifo_depth(s)) {
        s->line_errors |= UART_LSR_OE;
        if (fifo_mode(s)) {
            /* 8.4, bit 1: the FIFO stays as it is, the new character is lost. */
            return;
        }
        /* In the one register it replaces the old one. */
        place = s->rx_head;
        s->rx_count--;
    }
    s->rx_data[place] = byte;
    s->rx_errors[place] = errors;
    if (s->rx_count++ == 0) {
        show_errors(s);
    }
    restart_timeout(s);
}

static uint8_t read_rbr(SerialState *s)
{
    if (s->rx_count) {
        s->rbr = s->rx_data[s->rx_head];
        s->rx_errors[s->rx_head] = 0;
        s->rx_head = (s->rx_head + 1) % SERIAL_FIFO_BYTES;
        s->timeout_pending = 0;
        if (--s->rx_count) {
            show_errors(s);
        }
        restart_timeout(s);
        update_irq(s);
        qemu_chr_fe_accept_input(&s->chr);
    }
    return s->rbr;
}

static void clear_receiver(SerialState *s)
{
    s->rx_head = s->rx_count = 0;
    memset(s->rx_errors, 0, sizeof(s->rx_errors));
    s->line_errors &= UART_LSR_OE;
#ifndef QOMET_PLANTED_BUG
    s->timeout_pending = 0;
#endif
    timer_del(&s->timeout);
    qemu_chr_fe_accept_input(&s->chr);
}

static int serial_can_receive(void *opaque)
{
    const SerialState *s = opaque;

    /* 8.8, bit 4: the input pin is disconnected in loopback; what the host sends waits. */
    return loopback(s) ? 0 : (int)(fifo_depth(s) - s->rx_count);
}

static void serial_receive(void *opaque, const uint8_t *buf, int size)
{
    SerialState *s = opaque;

    for (int i = 0; i < size; i++) {
        receive(s, buf[i], 0);
    }
    update_irq(s);
}

static void serial_event(void *opaque, QEMUChrEvent event)
{
    SerialState *s = opaque;

    if (event == CHR_EVENT_BREAK && !loopback(s)) {
        /*
         * 8.4, bit 4: one zero character goes into the FIFO; its stop bit was missing too (bit 3).
         */
        receive(s, 0, UART_LSR_BI | UART_LSR_FE);
        update_irq(s);
    }
}

/* ---- Transmitter ---- */

/*
 * Moves what is to be sent through the shift register, as far as the other side takes it. The delay
 * of a character that 8.11 describes for a FIFO of one byte is left out with the time of sending.
 */
static void transmit(SerialState *s)
{
    for (;;) {
        if (!s->tsr_full) {
            if (!s->tx_count) {
                break;
            }
            s->tsr = s->tx_data[s->tx_head];
            s->tsr_full = 1;
            s->tx_head = (s->tx_head + 1) % SERIAL_FIFO_BYTES;
            s->thr_empty_pending |= --s->tx_count == 0;
        }
        /*
         * Bytes go whole, whatever the LCR says of their length: a guest that never sets it is
         * understood.
         */
        if (loopback(s)) {
            receive(s, s->tsr, 0);
        } else if (qemu_chr_fe_write(&s->chr, &s->tsr, 1) != 1) {
            break;
        }
        s->tsr_full = 0;
    }
    update_irq(s);
}

static void serial_drained(void *opaque)
{
    transmit(opaque);
}

static void write_thr(SerialState *s, uint8_t byte)
{
    s->thr_empty_pending = 0;
    if (s->tx_count < fifo_depth(s)) {
        s->tx_data[(s->tx_head + s->tx_count++) % SERIAL_FIFO_BYTES] = byte;
    } else if (!fifo_mode(s)) {
        s->tx_data[s->tx_head] = byte;
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "serial: the transmitter's FIFO is full, 0x%02x is lost\n",
                      byte);
    }
    transmit(s);
}

static void clear_transmitter(SerialState *s)
{
    /* 8.5, bit 2: the shift register is not cleared. */
    s->tx_head = s->tx_count = 0;
    s->thr_empty_pending = 1;
}

/* ---- Modem lines (8.8, 8.9) ---- */

static void update_msr(SerialState *s)
{
    /* A chardev is a modem that is always there and ready. */
    uint8_t lines = UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS, changed;

    if (loopback(s)) {
        lines = (s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
                (s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
                (s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
                (s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
    }
    changed = (lines ^ s->msr) >> 4;
    if (lines & UART_MSR_RI) {
        /* 8.9, bit 2: only the ring's end is told. */
        changed &= ~UART_MSR_TERI;
    }
    s->msr = lines | (s->msr & MSR_DELTAS) | changed;
}

/* ---- Registers ---- */

static uint8_t read_lsr(SerialState *s)
{
    uint8_t lsr = s->line_errors;

    lsr |= s->rx_count ? UART_LSR_DR : 0;
    lsr |= s->tx_count ? 0 : UART_LSR_THRE;
    lsr |= s->tx_count || s->tsr_full ? 0 : UART_LSR_TEMT;
    for (unsigned i = 0; fifo_mode(s) && i < s->rx_count; i++) {
        lsr |= s->rx_errors[(s->rx_head + i) % SERIAL_FIFO_BYTES] ? UART_LSR_FIFOE : 0;
    }
    /* 8.4: reading ends the errors; bit 7 ends with them if no later character has any. */
    s->line_errors = 0;
    s->rx_errors[s->rx_head] = 0;
    update_irq(s);
    return lsr;
}

static uint8_t read_iir(SerialState *s)
{
    uint8_t id = interrupt_id(s);

    if (id == UART_IIR_THRI) {
        s->thr_empty_pending = 0;
        update_irq(s);
    }
    return id | (fifo_mode(s) ? IIR_FIFOS : 0);
}

static uint8_t read_msr(SerialState *s)
{
    uint8_t msr = s->msr;

    s->msr &= ~MSR_DELTAS;
    update_irq(s);
    return msr;
}

static void write_ier(SerialState *s, uint8_t value)
{
    bool enabled = value & ~s->ier & UART_IER_THRI;

    s->ier = value & IER_BITS;
    if (enabled && !s->tx_count) {
        /* The interrupt tells of a state, not of a change: drivers rely on it to get started. */
        s->thr_empty_pending = 1;
    }
    update_irq(s);
}

static void write_fcr(SerialState *s, uint8_t value)
{
    bool changed = (value ^ s->fcr) & UART_FCR_ENABLE_FIFO;

    if (!(value & UART_FCR_ENABLE_FIFO)) {
        /* 8.5, bit 0: without it the other bits are not programmed. */
        value = 0;
    }
    s->fcr = value & (UART_FCR_ENABLE_FIFO | UART_FCR_DMA_SELECT | UART_FCR_TRIGGER_MASK);
    /* A change of mode empties both. */
    if (changed || (value & UART_FCR_CLEAR_RCVR)) {
        clear_receiver(s);
    }
    if (changed || (value & UART_FCR_CLEAR_XMIT)) {
        clear_transmitter(s);
    }
    update_irq(s);
}

static void write_mcr(SerialState *s, uint8_t value)
{
    s->mcr = value & MCR_BITS;
    update_msr(s);
    update_irq(s);
    qemu_chr_fe_accept_input(&s->chr);
}

static uint64_t serial_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    SerialState *s = opaque;
    bool dlab = s->lcr & UART_LCR_DLAB;

    switch (addr) {
    case UART_RX:
        return dlab ? s->divisor & 0xff : read_rbr(s);
    case UART_IER:
        return dlab ? s->divisor >> 8 : s->ier;
    case UART_IIR:
        return read_iir(s);
    case UART_LCR:
        return s->lcr;
    case UART_MCR:
        return s->mcr;
    case UART_LSR:
        return read_lsr(s);
    case UART_MSR:
        return read_msr(s);
    default:
        return s->scr;
    }
}

static void serial_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    SerialState *s = opaque;
    bool dlab = s->lcr & UART_LCR_DLAB;
    uint8_t value = data;

    switch (addr) {
    case UART_TX:
        if (dlab) {
            s->divisor = (s->divisor & 0xff00) | value;
        } else {
            write_thr(s, value);
        }
        break;
    case UART_IER:
        if (dlab) {
            s->divisor = (s->divisor & 0x00ff) | value << 8;
        } else {
            write_ier(s, value);
        }
        break;
    case UART_FCR:
        write_fcr(s, value);
        break;
    case UART_LCR:
        s->lcr = value;
        break;
    case UART_MCR:
        write_mcr(s, value);
        break;
    case UART_LSR:
    case UART_MSR:
        /* 8.4: writing is for the factory's tests. */
        break;
    default:
        s->scr = value;
        break;
    }
}

/* An eight-bit device: the bus makes bytes of whatever the guest does. */
static const MemoryRegionOps serial_ops = {
    .read = serial_read,
    .write = serial_write,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "16550A",
};

/* ---- Life ---- */

void serial_init(SerialState *s, DeviceState *dev)
{
    memory_region_init_io(&s->io, OBJECT(dev), &serial_ops, s, "serial", 8);
    qdev_init_gpio_out_named(dev, &s->irq, "irq", 1);
    timer_init_ns(&s->timeout, QEMU_CLOCK_VIRTUAL, receive_timeout, s, &dev->guard);
    serial_reset(s);
}

/*
 * Values after master reset (table I); the divisor and the scratch register, which it
 * leaves, as after power-on.
 */
void serial_reset(SerialState *s)
{
    timer_del(&s->timeout);
    s->ier = s->fcr = s->lcr = s->mcr = s->scr = 0;
    s->divisor = 12; /* 9600 baud */
    s->line_errors = s->rbr = s->timeout_pending = 0;
    s->rx_head = s->rx_count = s->tx_head = s->tx_count = s->tsr_full = 0;
    memset(s->rx_errors, 0, sizeof(s->rx_errors));
    s->thr_empty_pending = 0;
    update_msr(s);
    s->msr &= ~MSR_DELTAS;
    update_irq(s);
    qemu_chr_fe_accept_input(&s->chr);
}

static void serial_stop(DeviceState *dev G_GNUC_UNUSED, void *opaque)
{
    SerialState *s = opaque;

    qemu_chr_fe_set_handlers(&s->chr, NULL, NULL, NULL, NULL, NULL);
    serial_reset(s);
}

void serial_start(SerialState *s, DeviceState *dev)
{
    qemu_chr_fe_set_handlers(&s->chr, serial_can_receive, serial_receive, serial_event,
                             serial_drained, s);
    qdev_on_unrealize(dev, serial_stop, s);
}

/* SPDX-License-Identifier: MIT */
/*
 * A multiboot kernel that uses what a PC and its devices for tests have, and tells port 0xf1 what it
 * finds, a line each: pc-testdev, pci-testdev, fw_cfg's number of processors and how many of them
 * start, the timer 8254 against that of power management, and both through the IOAPIC. Interrupts
 * stay off: what arrives is looked for in the local APIC. It ends through isa-debug-exit.
 */
#include <stdint.h>

#define PATIENCE 20000000

#define LAPIC 0xfee00000
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_REQUESTS 0x200
#define LAPIC_COMMAND 0x300
#define INIT_OTHERS 0xc4500
#define START_OTHERS 0xc4600
#define IOAPIC 0xfec00000
#define IOAPIC_VERSION 1
#define IOAPIC_ENTRY(pin) (0x10 + 2 * (pin))

#define PIT_HZ 1193182
#define PMTIMER_HZ 3579545
#define MS 10 /* that are measured */

#define TRAMPOLINE 0x8000
#define STARTED 0x7000 /* a counter of processors, in memory below the trampoline */

#define LINE 5       /* of pc-testdev */
#define LINE_TIMER 2 /* where the IOAPIC has channel 0 of the 8254 */
#define VECTOR 0x40

#define PIIX4_PM 0x0b /* 00:01.3 */
#define PIIX4_PM_ID 0x71138086
#define ICH9_LPC 0xf8 /* 00:1f.0 */
#define TESTDEV_ID 0x00051b36
#define TESTDEV_MEMORY 0xe0000000
#define TESTDEV_PORTS 0xc800

__asm__(".section .head, \"a\"\n"
        ".balign 4\n"
        ".long 0x1badb002, 3, -(0x1badb002 + 3)\n"
        ".text\n"
        ".globl start\n"
        "start: movl $stack + 4096, %esp\n"
        "call kernel\n"
        ".code16\n"
        "trampoline: movw $(0x7000 >> 4), %ax\n"
        "movw %ax, %ds\n"
        "lock incb 0\n"
        "1: cli\n"
        "hlt\n"
        "jmp 1b\n"
        "trampoline_bytes: .long . - trampoline\n"
        ".code32\n");

extern const uint8_t trampoline[];
extern const uint32_t trampoline_bytes;
uint8_t stack[4096];

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static volatile uint8_t *byte_at(uint32_t addr)
{
    return (volatile uint8_t *)addr;
}

static volatile uint32_t *word_at(uint32_t addr)
{
    return (volatile uint32_t *)addr;
}

/* ---- What is told ---- */

static void say(const char *text)
{
    while (*text) {
        out8(0xf1, (uint8_t)*text++);
    }
}

static void say_hex(uint32_t value)
{
    static const char digits[] = "0123456789abcdef";

    say(" ");
    for (int shift = 28; shift >= 0; shift -= 4) {
        if (value >> shift || !shift) {
            out8(0xf1, (uint8_t)digits[value >> shift & 15]);
        }
    }
}

/* ---- Interrupts, without taking them ---- */

static void route(unsigned pin, uint8_t vector)
{
    *word_at(IOAPIC) = IOAPIC_ENTRY(pin) + 1;
    *word_at(IOAPIC + 0x10) = 0;
    *word_at(IOAPIC) = IOAPIC_ENTRY(pin);
    *word_at(IOAPIC + 0x10) = vector;
}

static uint32_t requested(uint8_t vector)
{
    return *word_at(LAPIC + LAPIC_REQUESTS + (vector >> 5) * 0x10) >> (vector & 31) & 1;
}

static uint32_t comes(uint8_t vector)
{
    for (unsigned i = 0; i < PATIENCE && !requested(vector); i++) {
    }
    return requested(vector);
}

/* ---- Devices ---- */

static void try_pc_testdev(void)
{
    out32(0xe0, 0x12345678);
    say("pc-testdev");
    say_hex(in32(0xe0));
    say_hex(in8(0xe8));
    out8(0xea, 0xab);
    say_hex(in32(0xe0));
    *word_at(0xff000010) = 0xa1b2c3d4;
    say_hex(*byte_at(0xff000012));
    say("\nline");
    route(LINE, VECTOR + LINE);
    say_hex(requested(VECTOR + LINE));
    out8(0x2000 + LINE, 1);
    say_hex(comes(VECTOR + LINE));
    out8(0x2000 + LINE, 0);
    say("\n");
}

static uint32_t config(unsigned function, unsigned reg)
{
    out32(0xcf8, 0x80000000 | function << 8 | reg);
    return in32(0xcfc);
}

static void set_config(unsigned function, unsigned reg, uint32_t value)
{
    out32(0xcf8, 0x80000000 | function << 8 | reg);
    out32(0xcfc, value);
}

static uint8_t get(int memory, unsigned at)
{
    return memory ? *byte_at(TESTDEV_MEMORY + at) : in8((uint16_t)(TESTDEV_PORTS + at));
}

static void put(int memory, unsigned at, uint8_t value)
{
    if (memory) {
        *byte_at(TESTDEV_MEMORY + at) = value;
    } else {
        out8((uint16_t)(TESTDEV_PORTS + at), value);
    }
}

/* Rings for test @number of a BAR as its header says: the right value three times, another once. */
static void try_bell(int memory, unsigned number)
{
    unsigned offset;
    uint8_t letter;

    put(memory, 0, (uint8_t)number);
    offset = get(memory, 4) | get(memory, 5) << 8;
    say(memory ? "memory" : "ports");
    for (unsigned at = 16; (letter = get(memory, at)) && at < 64; at++) {
        say(at == 16 ? " " : "");
        out8(0xf1, letter);
    }
    say_hex(get(memory, 1));
    say_hex(offset);
    say_hex(get(memory, 8));
    for (unsigned i = 0; i < 3; i++) {
        put(memory, offset, get(memory, 8));
        say_hex(get(memory, 12));
    }
    put(memory, offset, 0x55);
    say_hex(get(memory, 12));
    say("\n");
}

static void try_pci_testdev(void)
{
    unsigned function = 0;

    while (function < 256 && config(function, 0) != TESTDEV_ID) {
        function += 8;
    }
    set_config(function, 0x10, TESTDEV_MEMORY);
    set_config(function, 0x14, TESTDEV_PORTS);
    set_config(function, 4, 3);
    for (unsigned number = 0; number < 3; number++) {
        try_bell(1, number);
        try_bell(0, number);
    }
}

static unsigned processors(void)
{
    out16(0x510, 5);
    return in8(0x511) | in8(0x511) << 8;
}

static void try_processors(void)
{
    const unsigned others = processors() - 1;

    say("processors");
    say_hex(others + 1);
    for (uint32_t i = 0; i < trampoline_bytes; i++) {
        *byte_at(TRAMPOLINE + i) = trampoline[i];
    }
    *byte_at(STARTED) = 0;
    *word_at(LAPIC + LAPIC_COMMAND) = INIT_OTHERS;
    *word_at(LAPIC + LAPIC_COMMAND) = START_OTHERS | TRAMPOLINE >> 12;
    for (unsigned i = 0; i < PATIENCE && *byte_at(STARTED) < others; i++) {
    }
    say_hex(*byte_at(STARTED) + 1);
    say("\n");
}

static uint16_t pm_timer(void)
{
    const unsigned function = config(PIIX4_PM, 0) == PIIX4_PM_ID ? PIIX4_PM : ICH9_LPC;

    return (uint16_t)((config(function, 0x40) & 0xff80) + 8);
}

/* Channel 2 counts once, and says so in port 0x61. */
static void try_timers(void)
{
    const uint16_t pm = pm_timer();
    const unsigned count = PIT_HZ / 1000 * MS, low = PMTIMER_HZ / 1000 * MS;
    uint32_t begins, took;

    out8(0x61, 1);
    begins = in32(pm);
    out8(0x43, 0xb0);
    out8(0x42, count & 0xff);
    out8(0x42, count >> 8);
    for (unsigned i = 0; i < PATIENCE && !(in8(0x61) & 0x20); i++) {
    }
    took = (in32(pm) - begins) & 0xffffff;
    say("timers ");
    /* Not less; how much more depends on who else runs. */
    say(!(in8(0x61) & 0x20) ? "never" : took < low - low / 100 ? "too soon" : "agree");
    say("\nchannel 0");
    route(LINE_TIMER, VECTOR + LINE_TIMER);
    out8(0x43, 0x30);
    out8(0x40, 0);
    out8(0x40, 0x10);
    say_hex(comes(VECTOR + LINE_TIMER));
    say("\n");
}

void kernel(void)
{
    *word_at(LAPIC + LAPIC_SPURIOUS) = 0x1ff;
    *word_at(IOAPIC) = IOAPIC_VERSION;
    say("ioapic");
    say_hex(*word_at(IOAPIC + 0x10) >> 16);
    say("\n");
    try_pc_testdev();
    try_pci_testdev();
    try_processors();
    try_timers();
    for (;;) {
        out8(0xf4, 0x10);
    }
}

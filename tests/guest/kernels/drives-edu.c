/* SPDX-License-Identifier: MIT */
/*
 * A program in a guest with Linux that drives "edu" without a driver in the kernel: through the
 * registers that /sys/bus/pci shows, and - where uio_pci_generic has the device - by its interrupt.
 *
 *     drives-edu /sys/bus/pci/devices/0000:00:04.0 [/dev/uio0]
 *
 * It tells a line for each thing that is as it should be, and ends with status 1 at the first that
 * is not.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define REG_ID 0x00
#define REG_INVERT 0x04
#define REG_FACTORIAL 0x08
#define REG_STATUS 0x20
#define REG_IRQ_STATUS 0x24
#define REG_IRQ_ACK 0x64

#define STATUS_COMPUTING 0x01
#define STATUS_IRQ_FACTORIAL 0x80
#define IRQ_FACTORIAL 0x01

#define IDENTIFICATION 0x010000ed
#define COMMAND 4 /* in the configuration space */
#define COMMAND_MEMORY 2
#define COMMAND_INTX_OFF 0x400
#define MAPPED 4096
#define PATIENCE 100000000
#define PATIENCE_MS 30000

static volatile uint32_t *registers;

static uint32_t get(unsigned reg)
{
    return registers[reg / 4];
}

static void set(unsigned reg, uint32_t value)
{
    registers[reg / 4] = value;
}

static void must(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "drives-edu: not so: %s\n", what);
        exit(1);
    }
}

static int open_in(const char *folder, const char *name)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_RDWR | O_SYNC);
    must(fd >= 0, path);
    return fd;
}

/* The bits of its command register, with @on set and @off cleared. */
static void command(int config, uint16_t on, uint16_t off)
{
    uint16_t value;

    must(pread(config, &value, sizeof(value), COMMAND) == sizeof(value),
         "its configuration is read");
    value = (uint16_t)((value | on) & ~off);
    must(pwrite(config, &value, sizeof(value), COMMAND) == sizeof(value), "and written");
}

static void factorial_by_polling(void)
{
    long left = PATIENCE;

    set(REG_STATUS, 0);
    set(REG_FACTORIAL, 10);
    while (get(REG_STATUS) & STATUS_COMPUTING) {
        must(left-- > 0, "the factorial is done");
    }
    must(get(REG_FACTORIAL) == 3628800, "10! is 3628800");
    must(get(REG_IRQ_STATUS) == 0, "no interrupt is asked for");
    printf("10! is %u\n", get(REG_FACTORIAL));
}

/* uio_pci_generic masks the pin when it asks, and tells how often it did. */
static void factorial_by_interrupt(int config, const char *uio)
{
    struct pollfd waits = { .events = POLLIN };
    uint32_t count;

    waits.fd = open(uio, O_RDWR);
    must(waits.fd >= 0, uio);
    command(config, 0, COMMAND_INTX_OFF);
    must(poll(&waits, 1, 100) == 0, "no interrupt comes by itself");
    set(REG_STATUS, STATUS_IRQ_FACTORIAL);
    set(REG_FACTORIAL, 12);
    must(poll(&waits, 1, PATIENCE_MS) == 1, "an interrupt comes");
    must(read(waits.fd, &count, sizeof(count)) == sizeof(count) && count == 1, "it is the first");
    must(get(REG_IRQ_STATUS) == IRQ_FACTORIAL, "it is the factorial's");
    must(get(REG_FACTORIAL) == 479001600, "12! is 479001600");
    set(REG_IRQ_ACK, IRQ_FACTORIAL);
    must(get(REG_IRQ_STATUS) == 0, "it is acknowledged");
    /* Once acknowledged, the pin is free again: the next comes too, and only that. */
    command(config, 0, COMMAND_INTX_OFF);
    must(poll(&waits, 1, 100) == 0, "no interrupt comes again");
    set(REG_FACTORIAL, 5);
    must(poll(&waits, 1, PATIENCE_MS) == 1, "the next interrupt comes");
    must(read(waits.fd, &count, sizeof(count)) == sizeof(count) && count == 2, "it is the second");
    must(get(REG_FACTORIAL) == 120, "5! is 120");
    set(REG_IRQ_ACK, IRQ_FACTORIAL);
    printf("12! is 479001600, by an interrupt\n");
}

int main(int argc, char **argv)
{
    int config, resource;

    must(argc > 1, "its folder is named");
    config = open_in(argv[1], "config");
    resource = open_in(argv[1], "resource0");
    command(config, COMMAND_MEMORY, 0);
    registers = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, resource, 0);
    must(registers != MAP_FAILED, "resource0 is mapped");
    must(get(REG_ID) == IDENTIFICATION, "its identification is 0x010000ed");
    printf("identification 0x%08x\n", get(REG_ID));
    set(REG_INVERT, 0x12345678);
    must(get(REG_INVERT) == 0xedcba987, "0x12345678 comes back inverted");
    set(REG_INVERT, 0);
    must(get(REG_INVERT) == 0xffffffff, "so does 0");
    factorial_by_polling();
    if (argc > 2) {
        factorial_by_interrupt(config, argv[2]);
    }
    return 0;
}

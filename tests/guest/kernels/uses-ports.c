/* SPDX-License-Identifier: MIT */
/*
 * A program in a guest with Linux that uses I/O ports: what a clock at 0x70 holds, and what pvpanic at
 * 0x505 says that it takes. It tells both, and ends with status 1 where they cannot be so.
 */
#include <stdio.h>
#include <sys/io.h>

#define CLOCK 0x70
#define CLOCK_SECONDS 0
#define CLOCK_VALID 0x0d
#define PVPANIC 0x505

static unsigned clock_register(unsigned char number)
{
    outb(number, CLOCK);
    return inb(CLOCK + 1);
}

int main(void)
{
    unsigned seconds, valid, events;

    if (ioperm(CLOCK, 2, 1) || ioperm(PVPANIC, 1, 1)) {
        perror("uses-ports: ioperm");
        return 1;
    }
    seconds = clock_register(CLOCK_SECONDS);
    valid = clock_register(CLOCK_VALID);
    events = inb(PVPANIC);
    printf("seconds 0x%02x, valid 0x%02x, panics 0x%x\n", seconds, valid, events);
    /* Linux leaves the clock in BCD. */
    return seconds >> 4 > 5 || (seconds & 15) > 9 || valid != 0x80 || !(events & 1) ||
           events == 0xff;
}

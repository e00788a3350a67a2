/* SPDX-License-Identifier: MIT */
/*
 * What the benchmark programs share: a case, how it is timed, the row that it prints, and the words that the programs take.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_RUNS 11

typedef struct BenchCase {
    const char *name;
    void (*before)(void); /* not measured */
    void (*run)(unsigned n);
    void (*after)(void); /* not measured */
    unsigned n;
    bool whole; /* the time of all n, in ms, rather than of one, in ns */
    const char *reference;
    unsigned most; /* what "--once" may ask for; 0: any number */
} BenchCase;

static inline double bench_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static inline double bench_measure(const BenchCase *c, unsigned n)
{
    double begin, end;

    if (c->before) {
        c->before();
    }
    begin = bench_now_ns();
    c->run(n);
    end = bench_now_ns();
    if (c->after) {
        c->after();
    }
    return end - begin;
}

static inline void bench_print_row(const BenchCase *c)
{
    double least = bench_measure(c, c->n);

    /* What else the machine does only adds to a time. */
    for (int i = 1; i < BENCH_RUNS; i++) {
        double time = bench_measure(c, c->n);

        least = time < least ? time : least;
    }
    if (c->whole) {
        printf("%-32s %10.3f ms %6s\n", c->name, least / 1e6, c->reference);
    } else {
        printf("%-32s %10.2f ns %6s\n", c->name, least / c->n, c->reference);
    }
    fflush(stdout);
}

/* Without words every case prints its row; "--list" names them; "--once NAME N" runs one N times. Returns the exit status. */
static inline int bench_run(const BenchCase *cases, size_t n_cases, int argc, char **argv)
{
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
    bool once = argc == 4 && strcmp(argv[1], "--once") == 0;

    for (size_t i = 0; i < n_cases; i++) {
        const BenchCase *c = &cases[i];

        if (argc == 1) {
            bench_print_row(c);
        } else if (list) {
            puts(c->name);
        } else if (once && strcmp(argv[2], c->name) == 0) {
            unsigned n = strtoul(argv[3], NULL, 0);

            if (c->most && n > c->most) {
                fprintf(stderr, "%s: at most %u times\n", c->name, c->most);
                return 1;
            }
            bench_measure(c, n);
            return 0;
        }
    }
    if (argc == 1 || list) {
        return 0;
    }
    fprintf(stderr, "usage: %s [--list | --once NAME N]\n", argv[0]);
    return 1;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The yardstick: the least program that runs a flat guest with KVM, written by hand, without
 * objects, devices or GLib. What Qomet adds to this is measured against it: the time to a guest's
 * first byte, and the rate of exits.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_VCPUS 64
#define MAX_RUNS 1000
#define MAX_COMMANDS 8

extern char **environ;

typedef struct Vcpu {
    int vm, fd, index;
    struct kvm_run *run;
    uint64_t load, exits, limit; /* limit 0: bytes written to any port go to stdout */
    double seconds, busy;        /* from the first exit to the last, and of these on a processor */
    pthread_t thread;
    /* No line of the cache is written by two vCPUs. */
    char apart[64];
} Vcpu;

static void fail(const char *what)
{
    fprintf(stderr, "bare-loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double clock_of(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static double now(void)
{
    return clock_of(CLOCK_MONOTONIC);
}

static void make_vcpu(Vcpu *v, int kvm)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs = { .rip = v->load, .rflags = 2, .rdx = v->index };
    int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

    v->fd = ioctl(v->vm, KVM_CREATE_VCPU, v->index);
    if (v->fd < 0) {
        fail("KVM_CREATE_VCPU");
    }
    v->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (v->run == MAP_FAILED || ioctl(v->fd, KVM_GET_SREGS, &sregs)) {
        fail("vCPU");
    }
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    if (ioctl(v->fd, KVM_SET_SREGS, &sregs) || ioctl(v->fd, KVM_SET_REGS, &regs)) {
        fail("registers");
    }
}

static void *run_vcpu(void *arg)
{
    Vcpu *v = arg;
    struct kvm_run *run = v->run;
    volatile uint8_t sink;
    double first = 0, first_busy = 0;

    while (!v->limit || v->exits < v->limit) {
        if (ioctl(v->fd, KVM_RUN, 0)) {
            fail("KVM_RUN");
        }
        if (run->exit_reason == KVM_EXIT_IO) {
            const uint8_t *data = (uint8_t *)run + run->io.data_offset;

            if (v->limit) {
                sink = *data;
            } else if (write(STDOUT_FILENO, data, 1) != 1) {
                fail("stdout");
            }
            if (v->exits++ == 0) {
                first = now();
                first_busy = clock_of(CLOCK_THREAD_CPUTIME_ID);
            }
        } else if (run->exit_reason == KVM_EXIT_HLT) {
            break;
        } else {
            fprintf(stderr, "bare-loop: vCPU %d: exit reason %u\n", v->index, run->exit_reason);
            exit(1);
        }
    }
    (void)sink;
    v->seconds = now() - first;
    v->busy = clock_of(CLOCK_THREAD_CPUTIME_ID) - first_busy;
    return NULL;
}

static void run_guest(const char *path, size_t ram_bytes, uint64_t load, int n, uint64_t limit)
{
    static Vcpu vcpus[MAX_VCPUS];
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), file = open(path, O_RDONLY | O_CLOEXEC), vm;
    uint8_t *ram = mmap(NULL, ram_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct kvm_userspace_memory_region slot = { .memory_size = ram_bytes,
                                                .userspace_addr = (uintptr_t)ram };

    if (kvm < 0) {
        fail("/dev/kvm");
    }
    if (ram == MAP_FAILED || file < 0 || read(file, ram + load, ram_bytes - load) <= 0) {
        fail(path);
    }
    vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0 || ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000) ||
        ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot)) {
        fail("virtual machine");
    }
    for (int i = 0; i < n; i++) {
        vcpus[i].vm = vm;
        vcpus[i].index = i;
        vcpus[i].load = load;
        vcpus[i].limit = limit;
        make_vcpu(&vcpus[i], kvm);
    }
    for (int i = 1; i < n; i++) {
        if (pthread_create(&vcpus[i].thread, NULL, run_vcpu, &vcpus[i])) {
            fail("thread");
        }
    }
    run_vcpu(&vcpus[0]);
    for (int i = 0; i < n; i++) {
        if (i) {
            pthread_join(vcpus[i].thread, NULL);
        }
        if (limit) {
            printf("vcpu %d: %llu exits in %.6f s, %.6f s busy, %.1f ns each\n", i,
                   (unsigned long long)vcpus[i].exits, vcpus[i].seconds, vcpus[i].busy,
                   vcpus[i].seconds * 1e9 / vcpus[i].exits);
        }
    }
}

/*
 * Seconds from the start of @argv as a process to the first byte on its standard output; below 0:
 * there was none.
 */
static double first_byte(char **argv)
{
    posix_spawn_file_actions_t actions;
    int fds[2], status;
    double start, end = 0;
    pid_t pid;
    char c;

    if (pipe2(fds, O_CLOEXEC)) {
        fail("pipe");
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    start = now();
    errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    if (errno) {
        fail(argv[0]);
    }
    close(fds[1]);
    if (read(fds[0], &c, 1) == 1) {
        end = now();
    }
    while (read(fds[0], &c, 1) == 1) {
    }
    close(fds[0]);
    posix_spawn_file_actions_destroy(&actions);
    waitpid(pid, &status, 0);
    return end - start;
}

static int compare(const void *a, const void *b)
{
    double d = *(const double *)a - *(const double *)b;

    return (d > 0) - (d < 0);
}

static int usage(void)
{
    /* clang-format off */
    fputs("usage: bare-loop [-m MIB] [-a LOAD] [-n VCPUS] GUEST\n"
          "           bytes written to ports go to standard output; ends at hlt\n"
          "       bare-loop [-m MIB] [-a LOAD] [-n VCPUS] -x EXITS GUEST\n"
          "           each vCPU for EXITS port writes; prints the rate\n"
          "       bare-loop -t RUNS COMMAND... [-- COMMAND...]...\n"
          "           time from the start of each COMMAND to its first byte\n"
          "GUEST is flat, loaded and entered at LOAD (0x1000), in real mode, its index in EDX.\n",
          stderr);
    /* clang-format on */
    return 2;
}

/*
 * Times the commands in @argv, which "--" separates, taking turns so that each meets the same
 * weather. The first is what the others are compared with.
 */
static int time_commands(int runs, char **argv)
{
    static double times[MAX_COMMANDS][MAX_RUNS];
    char **command[MAX_COMMANDS] = { argv };
    int n = 1;

    for (char **word = argv; *word; word++) {
        if (strcmp(*word, "--") == 0) {
            *word = NULL;
            if (n == MAX_COMMANDS || !word[1]) {
                return usage();
            }
            command[n++] = word + 1;
        }
    }
    for (int i = 0; i < runs; i++) {
        for (int k = 0; k < n; k++) {
            times[k][i] = first_byte(command[k]);
            if (times[k][i] < 0) {
                fprintf(stderr, "bare-loop: %s printed nothing\n", command[k][0]);
                return 1;
            }
        }
    }
    for (int k = 0; k < n; k++) {
        qsort(times[k], runs, sizeof(times[k][0]), compare);
        printf("%.1f us to the first byte (median of %d; least %.1f), ratio %.2f: %s\n",
               times[k][runs / 2] * 1e6, runs, times[k][0] * 1e6,
               times[k][runs / 2] / times[0][runs / 2], command[k][0]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    size_t ram_mib = 16;
    uint64_t load = 0x1000, limit = 0;
    int n = 1, runs = 0, opt;

    while ((opt = getopt(argc, argv, "+m:a:n:x:t:")) != -1) {
        switch (opt) {
        case 'm':
            ram_mib = strtoull(optarg, NULL, 0);
            break;
        case 'a':
            load = strtoull(optarg, NULL, 0);
            break;
        case 'n':
            n = atoi(optarg);
            break;
        case 'x':
            limit = strtoull(optarg, NULL, 0);
            break;
        case 't':
            runs = atoi(optarg);
            break;
        default:
            return usage();
        }
    }
    if (optind == argc || n < 1 || n > MAX_VCPUS || runs < 0 || runs > MAX_RUNS || !ram_mib ||
        load >= ram_mib << 20) {
        return usage();
    }
    if (runs) {
        return time_commands(runs, argv + optind);
    }
    run_guest(argv[optind], ram_mib << 20, load, n, limit);
    return 0;
}

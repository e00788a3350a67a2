/* SPDX-License-Identifier: MIT */
/*
 * Guests in a test: a machine "bare" made in this process, code given as bytes, and a device that
 * notes what it is asked.
 *
 *     guest_begin("load-address=0x1000", code, sizeof(code));   (skips without KVM)
 *     Recorder *port = guest_recorder(false, 0xf1, 1);
 *     assert_int_equal(guest_run(), 0);
 *     ... look at port->log ...
 *     guest_end();
 *
 * Code starts in real mode, if nothing else is asked for.
 */
#ifndef QOMET_TESTS_GUEST_GUEST_H
#define QOMET_TESTS_GUEST_GUEST_H

#include "tests/test.h"
#include <qomet/machine/machine.h>

#define TYPE_RECORDER "test-recorder"
OBJECT_DECLARE_SIMPLE_TYPE(Recorder, RECORDER)

#define RECORDER_LOG 4096

typedef struct RecordedAccess {
    hwaddr addr; /* in the region */
    uint64_t value;
    unsigned size;
    bool is_write;
} RecordedAccess;

struct Recorder {
    DeviceState parent_obj;
    MemoryRegion mr;
    bool memory; /* else ports */
    uint64_t base, bytes;
    RecordedAccess log[RECORDER_LOG]; /* the first of them */
    uint32_t count;                   /* of all; atomic */
    uint32_t limit; /* asks for the end of the machine (status 0) at this access; 0: never */
    /* What it does besides; may be NULL (a read gives @answer then). Inside its guard. */
    void (*on_write)(Recorder *r, hwaddr addr, uint64_t value, unsigned size);
    uint64_t (*on_read)(Recorder *r, hwaddr addr, unsigned size);
    uint64_t answer;
    void *opaque;
};

/* The exit status of a guest that did not end by itself. */
#define GUEST_TIMEOUT 99

/*
 * The board with properties from @words ("smp=2,rax=1"; "" for none) and @code at load-address.
 * Skips without KVM.
 */
void guest_begin(const char *words, const uint8_t *code, size_t size);
/* The same, when KVM's words are not just "kvm". */
void guest_begin_accel(const char *accel, const char *words, const uint8_t *code, size_t size);
/*
 * A device at ports or memory @base; before guest_start(), or while the guest runs. Owned by the
 * tree.
 */
Recorder *guest_recorder(bool memory, uint64_t base, uint64_t bytes);
/* Finishes the board; the guest is ready, not started. */
void guest_start(void);
/*
 * guest_start() if that was not done, then runs to the end: the exit status, or GUEST_TIMEOUT after
 * 20 s.
 */
int guest_run(void);
/*
 * One round of the main loop after another until @done says so or 20 s have passed: whether it did.
 */
bool guest_loop_until(bool (*done)(void *opaque), void *opaque);
void guest_end(void);
/* A row of the list of tests: what a failed one has left is ended. */
#define guest_test(f) cmocka_unit_test_teardown(f, guest_teardown)
int guest_teardown(void **state);

/*
 * Standard error from here on is kept; what came since, NUL-terminated, until the next call of
 * either.
 */
void guest_capture_stderr(void);
const char *guest_captured_stderr(void);
/* Whether something came so far. */
bool guest_has_written_stderr(void);

/* Skips the running test, with the reason, where there is no usable KVM. */
void guest_need_kvm(void);

/* Registers for tests that are called without a machine: nothing to do but once for the process. */
void guest_init_process(void);

#endif

/* SPDX-License-Identifier: MIT */
/* The machine "bare" on KVM: guests in each mode, their registers, their end. */
#include "tests/guest/guest.h"
static void guest_one(void **state)
{
    static const uint8_t code[] = { 0xb0, 0x48, 0xe6, 0xf1, 0xb0, 0x69, 0xe6,
                                    0xf1, 0xb0, 0x0a, 0xe6, 0xf1, 0xf4 };
    (void)state;
    guest_begin("", code, sizeof(code));
    Recorder *port = guest_recorder(false, 0xf1, 1);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 3);
    assert_int_equal(port->log[0].value, 'H');
    guest_end();
}
int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(guest_one), cmocka_unit_test(guest_one) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

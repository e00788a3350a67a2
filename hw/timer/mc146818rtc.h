/* SPDX-License-Identifier: MIT */
/* The clock and CMOS memory of a PC: what its firmware finds there is said by the board. */
#ifndef QOMET_HW_TIMER_MC146818RTC_H
#define QOMET_HW_TIMER_MC146818RTC_H

#include <qomet/hw/isa/isa-bus.h>

#define TYPE_MC146818_RTC "mc146818rtc"
#define RTC_ISA_IRQ 8
#define RTC_CMOS_BYTES 128

/** Bytes of the CMOS memory, @addr from 0x0e to 0x7f. Main thread, while no vCPU runs. */
QOM_EXPORT void mc146818rtc_set_cmos_data(DeviceState *dev, unsigned addr, uint8_t value);
QOM_EXPORT uint8_t mc146818rtc_get_cmos_data(DeviceState *dev, unsigned addr);

#endif

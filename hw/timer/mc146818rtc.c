/* SPDX-License-Identifier: MIT */
/*
 * "mc146818rtc": the MC146818A clock of a PC with 128 bytes of CMOS memory, at ports 0x70 and 0x71
 * and on line 8. Time is a clock of the host plus an offset; no timer runs unless the guest has
 * asked for interrupts, and what has happened since it last looked is worked out when it looks.
 * Registers are those of the Motorola data sheet (1984), the century byte is IBM's.
 */
#include <string.h>
#include <time.h>
#include <qomet/hw/timer/mc146818rtc.h>

OBJECT_DECLARE_SIMPLE_TYPE(RTCState, MC146818_RTC)

enum {
    RTC_SECONDS,
    RTC_SECONDS_ALARM,
    RTC_MINUTES,
    RTC_MINUTES_ALARM,
    RTC_HOURS,
    RTC_HOURS_ALARM,
    RTC_DAY_OF_WEEK,
    RTC_DAY_OF_MONTH,
    RTC_MONTH,
    RTC_YEAR,
    RTC_REG_A,
    RTC_REG_B,
    RTC_REG_C,
    RTC_REG_D,
    RTC_CENTURY = 0x32,
};

#define REG_A_UIP 0x80     /* an update is near */
#define REG_A_DIVIDER 0x70 /* what feeds the chain */
#define DIVIDER_32KHZ 0x20 /* its normal setting */
#define DIVIDER_RESET 0x60 /* and 0x70: it stands */
#define REG_A_RATE 0x0f    /* of the periodic interrupt */
#define REG_B_SET 0x80     /* the guest writes the time: it stands */
#define REG_B_INTERRUPTS 0x70
#define REG_B_UIE 0x10
#define REG_B_BINARY 0x04 /* else BCD */
#define REG_B_24H 0x02
#define REG_C_IRQF 0x80
#define REG_C_PF 0x40
#define REG_C_AF 0x20
#define REG_C_UF 0x10
#define REG_D_VALID 0x80
#define HOUR_PM 0x80
#define ALARM_ANY 0xc0 /* an alarm byte from here on matches every value */

#define DAY_S 86400
#define LAST_SECOND INT64_C(7258118399) /* of the year 2199 */
#define UIP_NS 244000 /* data sheet: at least that long before an update UIP is set */

struct RTCState {
    ISADevice parent_obj;
    MemoryRegion io;
    QEMUTimer timer;
    qemu_irq irq[1];
    uint32_t iobase, isairq;
    bool guest_clock; /* property: follows the virtual clock instead of the host's */
    char *base;       /* property: what time it is at first, or NULL */
    uint8_t cmos[RTC_CMOS_BYTES];
    uint8_t index;
    int64_t offset_ns;  /* guest's time since 1970 - the clock's, while it runs */
    int64_t stopped_ns; /* the guest's time when it was made to stand */
    int64_t seen_ns;    /* all that happened until then is in register C */
};

/* ---- Time ---- */

static int64_t clock_ns(const RTCState *s)
{
    return qemu_clock_get_ns(s->guest_clock ? QEMU_CLOCK_VIRTUAL : QEMU_CLOCK_HOST);
}

static bool is_running(const RTCState *s)
{
    return !(s->cmos[RTC_REG_B] & REG_B_SET) &&
           (s->cmos[RTC_REG_A] & REG_A_DIVIDER) < DIVIDER_RESET;
}

static int64_t guest_ns(const RTCState *s)
{
    return is_running(s) ? clock_ns(s) + s->offset_ns : s->stopped_ns;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t guest_second(const RTCState *s)
{
    return floor_div(guest_ns(s), NANOSECONDS_PER_SECOND);
}

static int64_t guest_fraction(const RTCState *s)
{
    return guest_ns(s) - guest_second(s) * NANOSECONDS_PER_SECOND;
}

/* Between two periodic interrupts; 0: there are none. */
static int64_t period_ns(const RTCState *s)
{
    unsigned rate = s->cmos[RTC_REG_A] & REG_A_RATE;

    if (!rate || (s->cmos[RTC_REG_A] & REG_A_DIVIDER) != DIVIDER_32KHZ) {
        return 0;
    }
    /* Table 5 of the data sheet: with a 32,768 Hz crystal the two fastest are those of 8 and 9. */
    rate += rate <= 2 ? 7 : 0;
    return NANOSECONDS_PER_SECOND * (1 << (rate - 1)) / 32768;
}

/* ---- Bytes ---- */

static uint8_t encode(const RTCState *s, unsigned value)
{
    return s->cmos[RTC_REG_B] & REG_B_BINARY ? value : value / 10 << 4 | value % 10;
}

static unsigned decode(const RTCState *s, uint8_t byte)
{
    return s->cmos[RTC_REG_B] & REG_B_BINARY ? byte : (byte >> 4) * 10 + (byte & 0xf);
}

static uint8_t encode_hour(const RTCState *s, unsigned hour)
{
    if (s->cmos[RTC_REG_B] & REG_B_24H) {
        return encode(s, hour);
    }
    return encode(s, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned decode_hour(const RTCState *s, uint8_t byte)
{
    if (s->cmos[RTC_REG_B] & REG_B_24H) {
        return decode(s, byte);
    }
    return decode(s, byte & ~HOUR_PM) % 12 + (byte & HOUR_PM ? 12 : 0);
}

/* The guest's time as the registers show it. */
static void time_to_registers(RTCState *s)
{
    time_t seconds = guest_second(s);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm)) {
        return;
    }
    s->cmos[RTC_SECONDS] = encode(s, tm.tm_sec);
    s->cmos[RTC_MINUTES] = encode(s, tm.tm_min);
    s->cmos[RTC_HOURS] = encode_hour(s, tm.tm_hour);
    s->cmos[RTC_DAY_OF_WEEK] = encode(s, tm.tm_wday + 1);
    s->cmos[RTC_DAY_OF_MONTH] = encode(s, tm.tm_mday);
    s->cmos[RTC_MONTH] = encode(s, tm.tm_mon + 1);
    s->cmos[RTC_YEAR] = encode(s, (tm.tm_year + 1900) % 100);
    s->cmos[RTC_CENTURY] = encode(s, (tm.tm_year + 1900) / 100 % 100);
}

/*
 * And back: the guest's time is what they say, and @fraction ns. What is no date ("the 40th") is
 * carried over into the next unit; times that cannot be counted in ns end at the last that can.
 */
static void registers_to_time(RTCState *s, int64_t fraction)
{
    struct tm tm = {
        .tm_sec = (int)decode(s, s->cmos[RTC_SECONDS]),
        .tm_min = (int)decode(s, s->cmos[RTC_MINUTES]),
        .tm_hour = (int)decode_hour(s, s->cmos[RTC_HOURS]),
        .tm_mday = (int)decode(s, s->cmos[RTC_DAY_OF_MONTH]),
        .tm_mon = (int)decode(s, s->cmos[RTC_MONTH]) - 1,
        .tm_year =
            (int)(decode(s, s->cmos[RTC_CENTURY]) * 100 + decode(s, s->cmos[RTC_YEAR])) - 1900,
    };
    int64_t second = CLAMP((int64_t)timegm(&tm), 0, LAST_SECOND);

    s->seen_ns = second * NANOSECONDS_PER_SECOND + fraction;
    s->offset_ns = s->seen_ns - clock_ns(s);
}

/* ---- What happens: updates, alarms, periods ---- */

static bool alarm_matches(uint8_t alarm, unsigned wanted, unsigned value)
{
    return alarm >= ALARM_ANY || wanted == value;
}

/* Whether any of @values values from 0 on matches. */
static bool alarm_is_possible(uint8_t alarm, unsigned wanted, unsigned values)
{
    return alarm >= ALARM_ANY || wanted < values;
}

/* The first second after @after at which the alarm goes off; INT64_MAX: it never does. */
static int64_t next_alarm(const RTCState *s, int64_t after)
{
    const uint8_t *cmos = s->cmos;
    const unsigned second = decode(s, cmos[RTC_SECONDS_ALARM]),
                   minute = decode(s, cmos[RTC_MINUTES_ALARM]),
                   hour = decode_hour(s, cmos[RTC_HOURS_ALARM]);
    int64_t t = after + 1;

    /* A day of seconds is much to look at, as often as a guest likes. */
    if (!alarm_is_possible(cmos[RTC_HOURS_ALARM], hour, 24) ||
        !alarm_is_possible(cmos[RTC_MINUTES_ALARM], minute, 60) ||
        !alarm_is_possible(cmos[RTC_SECONDS_ALARM], second, 60)) {
        return INT64_MAX;
    }
    /* An hour, a minute or a second that does not match is left as a whole. */
    while (t <= after + DAY_S) {
        unsigned of_day = t - floor_div(t, DAY_S) * DAY_S;

        if (!alarm_matches(cmos[RTC_HOURS_ALARM], hour, of_day / 3600)) {
            t += 3600 - of_day % 3600;
        } else if (!alarm_matches(cmos[RTC_MINUTES_ALARM], minute, of_day / 60 % 60)) {
            t += 60 - of_day % 60;
        } else if (!alarm_matches(cmos[RTC_SECONDS_ALARM], second, of_day % 60)) {
            t++;
        } else {
            return t;
        }
    }
    return INT64_MAX;
}

static void update_irq(RTCState *s)
{
    bool asks = s->cmos[RTC_REG_C] & s->cmos[RTC_REG_B] & REG_B_INTERRUPTS;

    s->cmos[RTC_REG_C] = (s->cmos[RTC_REG_C] & ~REG_C_IRQF) | (asks ? REG_C_IRQF : 0);
    qemu_set_irq(s->irq[0], asks);
}

/* Sets the flags of all that has happened until now. */
static void catch_up(RTCState *s)
{
    const int64_t now = guest_ns(s), period = period_ns(s);
    const int64_t second = floor_div(now, NANOSECONDS_PER_SECOND);
    const int64_t seen_second = floor_div(s->seen_ns, NANOSECONDS_PER_SECOND);

    if (now > s->seen_ns) {
        if (second > seen_second) {
            s->cmos[RTC_REG_C] |= REG_C_UF;
            s->cmos[RTC_REG_C] |= next_alarm(s, seen_second) <= second ? REG_C_AF : 0;
        }
        if (period && floor_div(now, period) > floor_div(s->seen_ns, period)) {
            s->cmos[RTC_REG_C] |= REG_C_PF;
        }
    }
    s->seen_ns = now;
    update_irq(s);
}

/* The timer runs to the next thing that interrupts and has not happened yet. */
static void arm(RTCState *s)
{
    const uint8_t wanted = s->cmos[RTC_REG_B] & ~s->cmos[RTC_REG_C];
    const int64_t now = s->seen_ns, period = period_ns(s);
    const int64_t second = floor_div(now, NANOSECONDS_PER_SECOND);
    int64_t next = INT64_MAX;

    if (!is_running(s)) {
        timer_del(&s->timer);
        return;
    }
    if ((wanted & REG_C_PF) && period) {
        next = (floor_div(now, period) + 1) * period;
    }
    if (wanted & REG_C_UF) {
        next = MIN(next, (second + 1) * NANOSECONDS_PER_SECOND);
    }
    if (wanted & REG_C_AF) {
        int64_t alarm = next_alarm(s, second);

        next = alarm == INT64_MAX ? next : MIN(next, alarm * NANOSECONDS_PER_SECOND);
    }
    if (next == INT64_MAX) {
        timer_del(&s->timer);
    } else {
        timer_mod(&s->timer, next - s->offset_ns);
    }
}

static void rtc_timer(void *opaque)
{
    RTCState *s = opaque;

    catch_up(s);
    arm(s);
}

/* ---- Registers ---- */

static bool is_time(unsigned index)
{
    return index == RTC_CENTURY ||
           (index <= RTC_YEAR &&
            (index == RTC_DAY_OF_WEEK || index >= RTC_DAY_OF_MONTH || index % 2 == 0));
}

/* Register A or B: the clock may stand from now on - its registers are only memory then - or go on. */
static void write_control(RTCState *s, unsigned index, uint8_t value)
{
    bool ran = is_running(s);
    int64_t now = guest_ns(s), fraction = guest_fraction(s);

    if (ran) {
        time_to_registers(s);
    }
    if (index == RTC_REG_A && (s->cmos[index] & REG_A_DIVIDER) >= DIVIDER_RESET) {
        fraction = NANOSECONDS_PER_SECOND / 2; /* data sheet, "divider control" */
    }
    if (index == RTC_REG_B && (value & REG_B_SET)) {
        value &= ~REG_B_UIE; /* data sheet: setting SET clears UIE */
    }
    s->cmos[index] = value;
    if (ran && !is_running(s)) {
        s->stopped_ns = now;
    } else if (!ran && is_running(s)) {
        registers_to_time(s, fraction);
    }
}

static void rtc_write_data(RTCState *s, unsigned index, uint8_t value)
{
    catch_up(s);
    if (is_time(index) && is_running(s)) {
        time_to_registers(s);
        s->cmos[index] = value;
        registers_to_time(s, guest_fraction(s));
    } else if (index == RTC_REG_A) {
        write_control(s, index, value & ~REG_A_UIP);
    } else if (index == RTC_REG_B) {
        write_control(s, index, value);
    } else if (index != RTC_REG_C && index != RTC_REG_D) {
        s->cmos[index] = value;
    }
    update_irq(s);
    arm(s);
}

static uint8_t rtc_read_data(RTCState *s, unsigned index)
{
    uint8_t value;

    catch_up(s);
    if (is_time(index) && is_running(s)) {
        time_to_registers(s);
    }
    switch (index) {
    case RTC_REG_A: {
        bool near = guest_fraction(s) >= NANOSECONDS_PER_SECOND - UIP_NS;

        return s->cmos[index] | (is_running(s) && near ? REG_A_UIP : 0);
    }
    case RTC_REG_C:
        value = s->cmos[index];
        s->cmos[index] = 0;
        update_irq(s);
        arm(s);
        return value;
    default:
        return s->cmos[index];
    }
}

static uint64_t rtc_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    RTCState *s = opaque;

    /* The index cannot be read back. */
    return addr == 0 ? 0xff : rtc_read_data(s, s->index);
}

static void rtc_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    RTCState *s = opaque;

    if (addr == 0) {
        s->index = data % RTC_CMOS_BYTES; /* the highest bit holds NMIs back on a PC */
    } else {
        rtc_write_data(s, s->index, data);
    }
}

static const MemoryRegionOps rtc_ops = {
    .read = rtc_read,
    .write = rtc_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* ---- For the board ---- */

void mc146818rtc_set_cmos_data(DeviceState *dev, unsigned addr, uint8_t value)
{
    g_return_if_fail(addr > RTC_REG_D && addr < RTC_CMOS_BYTES);
    MC146818_RTC(dev)->cmos[addr] = value;
}

uint8_t mc146818rtc_get_cmos_data(DeviceState *dev, unsigned addr)
{
    g_return_val_if_fail(addr > RTC_REG_D && addr < RTC_CMOS_BYTES, 0);
    return MC146818_RTC(dev)->cmos[addr];
}

/* ---- The device ---- */

/* What time it is at first: 0 with @errp set for words that say none. */
static bool first_second(const RTCState *s, int64_t *second, GError **errp)
{
    g_autoptr(GDateTime) local = g_date_time_new_now_local();
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) given = NULL;

    *second = g_get_real_time() / G_USEC_PER_SEC;
    if (!s->base || !strcmp(s->base, "utc")) {
        return true;
    }
    if (!strcmp(s->base, "localtime")) {
        *second += g_date_time_get_utc_offset(local) / G_USEC_PER_SEC;
        return true;
    }
    given = g_date_time_new_from_iso8601(s->base, utc);
    *second = given ? g_date_time_to_unix(given) : -1;
    if (*second < 0 || *second > LAST_SECOND) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "base=%s is no time from 1970 to 2199: it is utc, localtime, or like "
                      "2026-01-31T12:00:00",
                      s->base);
        return false;
    }
    return true;
}

static bool rtc_realize(DeviceState *dev, GError **errp)
{
    RTCState *s = MC146818_RTC(dev);
    int64_t second;

    if (!first_second(s, &second, errp)) {
        return false;
    }
    s->cmos[RTC_REG_A] = DIVIDER_32KHZ | 0x06; /* 1,024 Hz, as a PC's firmware leaves it */
    s->cmos[RTC_REG_B] = REG_B_24H;
    s->cmos[RTC_REG_D] = REG_D_VALID;
    s->offset_ns = second * NANOSECONDS_PER_SECOND - clock_ns(s);
    s->seen_ns = guest_ns(s);
    timer_init_ns(&s->timer, s->guest_clock ? QEMU_CLOCK_VIRTUAL : QEMU_CLOCK_HOST, rtc_timer, s,
                  &dev->guard);
    return isa_connect_gpio_out(ISA_DEVICE(dev), NULL, 0, s->isairq, errp) &&
           isa_register_ioport(ISA_DEVICE(dev), &s->io, s->iobase, errp);
}

static void rtc_unrealize(DeviceState *dev)
{
    timer_del(&MC146818_RTC(dev)->timer);
}

/* Its battery goes on: only the interrupts end (data sheet, RESET). */
static void rtc_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    RTCState *s = MC146818_RTC(obj);

    s->cmos[RTC_REG_B] &= ~(REG_B_INTERRUPTS | 0x08);
    s->cmos[RTC_REG_C] = 0;
    s->index = 0;
    update_irq(s);
    if (DEVICE(obj)->realized) {
        arm(s);
    }
}

static void rtc_init(Object *obj)
{
    RTCState *s = MC146818_RTC(obj);

    memory_region_init_io(&s->io, obj, &rtc_ops, s, "rtc", 2);
    qdev_init_gpio_out(DEVICE(obj), s->irq, 1);
}

static const Property rtc_props[] = {
    DEFINE_PROP_UINT32("iobase", RTCState, iobase, 0x70, .help = "port of the index, data is next"),
    DEFINE_PROP_UINT32("irq", RTCState, isairq, RTC_ISA_IRQ, .help = "line of the ISA bus",
                       PROP_RANGE_U(0, ISA_NUM_IRQS - 1)),
    DEFINE_PROP_BOOL("guest-clock", RTCState, guest_clock, false,
                     .help = "stands still while the machine is stopped"),
    DEFINE_PROP_STRING("base", RTCState, base,
                       .help = "what time it is at first: utc (the default), localtime, or like "
                               "2026-01-31T12:00:00"),
};

static const DeviceField rtc_fields[] = {
    DEVICE_ARRAY(RTCState, cmos),      DEVICE_FIELD(RTCState, index),
    DEVICE_FIELD(RTCState, offset_ns), DEVICE_FIELD(RTCState, stopped_ns),
    DEVICE_FIELD(RTCState, seen_ns),   { NULL, 0, 0, 0, 0 },
};

static void rtc_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "clock and CMOS memory of a PC";
    dc->realize = rtc_realize;
    dc->unrealize = rtc_unrealize;
    dc->state = rtc_fields;
    device_class_set_reset(dc, rtc_reset);
    device_class_set_props(dc, rtc_props);
}

static const TypeInfo rtc_types[] = {
    {
        .name = TYPE_MC146818_RTC,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(RTCState),
        .instance_init = rtc_init,
        .class_init = rtc_class_init,
    },
};

DEFINE_TYPES(rtc_types)

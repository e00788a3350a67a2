/* SPDX-License-Identifier: MIT */
/*
 * The contract of a region about sizes, as data, carried out: what a guest may ask (valid), and how
 * that becomes calls of the methods (impl).
 *
 * An access that valid allows reaches each of its bytes once. It is cut, from the lowest address
 * up, into the largest calls that impl takes. Bytes that fill no call of impl's smallest size are
 * reached by one such call at the aligned address below: a read takes its bytes out of what the
 * method gives, a write hands the method zeroes in the places that the guest did not write. (QEMU
 * hands the method the guest's own address there, aligned or not.) No call reaches past the
 * region's end: what would is refused.
 *
 * The bytes of a call lie in the guest's memory in the order of the method's endianness.
 */
#include "memory/memory-int.h"

typedef struct Sizes {
    unsigned min, max;
    bool unaligned;
} Sizes;

static Sizes valid_sizes(const MemoryRegionOps *ops)
{
    return (Sizes){
        ops->valid.min_access_size ? ops->valid.min_access_size : 1,
        ops->valid.max_access_size ? ops->valid.max_access_size : 8,
        ops->valid.unaligned,
    };
}

static Sizes impl_sizes(const MemoryRegionOps *ops)
{
    return (Sizes){
        ops->impl.min_access_size ? ops->impl.min_access_size : 1,
        ops->impl.max_access_size ? ops->impl.max_access_size : 4,
        ops->impl.unaligned,
    };
}

/* The largest power of two that is at most @n; @n is not 0. */
static unsigned power_below(uint64_t n)
{
    return n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
}

/* The largest size of at most @most bytes that is aligned at @addr, or any when @unaligned. */
static unsigned size_at(hwaddr addr, uint64_t most, bool unaligned)
{
    unsigned size = power_below(most);

    while (!unaligned && (addr & (size - 1))) {
        size /= 2;
    }
    return size;
}

unsigned access_piece(const MemoryRegionOps *ops, hwaddr addr, uint64_t n)
{
    const Sizes valid = ops ? valid_sizes(ops) : (Sizes){ 1, 4, false };

    return size_at(addr, MIN(n, valid.max), valid.unaligned);
}

bool access_is_valid(const MemoryRegion *mr, hwaddr addr, unsigned size, bool is_write,
                     MemTxAttrs attrs)
{
    const Sizes valid = mr->ops ? valid_sizes(mr->ops) : (Sizes){ 1, 4, false };

    if (size < valid.min || size > valid.max || (size & (size - 1)) ||
        (!valid.unaligned && (addr & (size - 1)))) {
        return false;
    }
    return !mr->ops || !mr->ops->valid.accepts ||
           mr->ops->valid.accepts(mr->opaque, addr, size, is_write, attrs);
}

/* ---- Calls ---- */

/* @value of a call of @size bytes as a little-endian guest sees it, or the other way round. */
static uint64_t to_little_endian(const MemoryRegionOps *ops, uint64_t value, unsigned size)
{
    return ops->endianness == DEVICE_BIG_ENDIAN ? __builtin_bswap64(value) >> (64 - 8 * size)
                                                : value & size_mask(size);
}

static MemTxResult call_read(const MemoryRegion *mr, hwaddr addr, unsigned size, uint64_t *value,
                             MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;
    MemTxResult result = MEMTX_OK;
    uint64_t data = UINT64_MAX;

    if (ops->read) {
        data = ops->read(mr->opaque, addr, size);
    } else if (ops->read_with_attrs) {
        result = ops->read_with_attrs(mr->opaque, addr, &data, size, attrs);
    }
    *value = result == MEMTX_OK ? to_little_endian(ops, data, size) : size_mask(size);
    return result;
}

static MemTxResult call_write(const MemoryRegion *mr, hwaddr addr, unsigned size, uint64_t value,
                              MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;
    const uint64_t data = to_little_endian(ops, value, size);

    if (ops->write) {
        ops->write(mr->opaque, addr, data, size);
    } else if (ops->write_with_attrs) {
        return ops->write_with_attrs(mr->opaque, addr, data, size, attrs);
    }
    return MEMTX_OK;
}

/* One call of a method, and which of its bytes are the guest's. */
typedef struct Call {
    hwaddr addr;
    unsigned size;
    unsigned skip, take; /* bytes of the call before the guest's, and the guest's */
} Call;

/* The call that reaches @addr and as many as it may of the @left bytes from there. */
static Call next_call(const Sizes *impl, hwaddr addr, unsigned left)
{
    Call call;

    if (left >= impl->min && (impl->unaligned || !(addr & (impl->min - 1)))) {
        call.size = size_at(addr, MIN(left, impl->max), impl->unaligned);
        call.addr = addr;
        call.skip = 0;
        call.take = call.size;
    } else {
        call.size = impl->min;
        call.addr = addr & ~(hwaddr)(impl->min - 1);
        call.skip = (unsigned)(addr - call.addr);
        call.take = MIN(left, call.size - call.skip);
    }
    return call;
}

static bool call_fits(const MemoryRegion *mr, const Call *call)
{
    return call->addr <= mr->last && call->size - 1 <= mr->last - call->addr;
}

MemTxResult access_read(const MemoryRegion *mr, hwaddr addr, unsigned size, uint64_t *value,
                        MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    Sizes impl;

    *value = size_mask(size);
    if (!mr->ops) {
        return MEMTX_OK;
    }
    impl = impl_sizes(mr->ops);
    *value = 0;
    for (unsigned done = 0; done < size;) {
        const Call call = next_call(&impl, addr + done, size - done);
        uint64_t part = UINT64_MAX;

        result |= call_fits(mr, &call) ? call_read(mr, call.addr, call.size, &part, attrs)
                                       : MEMTX_ACCESS_ERROR;
        *value |= (part >> (8 * call.skip) & size_mask(call.take)) << (8 * done);
        done += call.take;
    }
    return result;
}

MemTxResult access_write(const MemoryRegion *mr, hwaddr addr, unsigned size, uint64_t value,
                         MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    Sizes impl;

    if (!mr->ops) {
        return MEMTX_OK;
    }
    impl = impl_sizes(mr->ops);
    for (unsigned done = 0; done < size;) {
        const Call call = next_call(&impl, addr + done, size - done);
        const uint64_t part = (value >> (8 * done) & size_mask(call.take)) << (8 * call.skip);

        result |= call_fits(mr, &call) ? call_write(mr, call.addr, call.size, part, attrs)
                                       : MEMTX_ACCESS_ERROR;
        done += call.take;
    }
    return result;
}

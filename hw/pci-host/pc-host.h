/* SPDX-License-Identifier: MIT */
/*
 * What the host bridges of PCs have in common: the ports 0xcf8 and 0xcfc, a bus under the machine's
 * memory, and the function at 00:00.0 with the registers that choose between RAM, ROM and bus.
 */
#ifndef HW_PCI_HOST_PC_HOST_H
#define HW_PCI_HOST_PC_HOST_H

#include <qomet/hw/pci/pci-host.h>
#include "hw/pci-host/pam.h"

/* ---- The host ---- */

/* Its link "ram" is the memory that shows through in place of ROMs. */
#define TYPE_PC_HOST "pc-host"
OBJECT_DECLARE_TYPE(PCHost, PCHostClass, PC_HOST)

struct PCHost {
    PCIHostState parent_obj;
    MemoryRegion pci_memory; /* all that is on the bus */
    MemoryRegion *ram;
};

struct PCHostClass {
    DeviceClass parent_class;
    const char *function_type; /* at 00:00.0, a pc-host-function: the child "mch" */
    const char *bus_type, *bus_name;
};

/* ---- The function at 00:00.0 ---- */

#define TYPE_PC_HOST_FUNCTION "pc-host-function"
OBJECT_DECLARE_TYPE(PCHostFunction, PCHostFunctionClass, PC_HOST_FUNCTION)

struct PCHostFunction {
    PCIDevice parent_obj;
    PCHost *host; /* which made it */
    PAM pam;
};

struct PCHostFunctionClass {
    PCIDeviceClass parent_class;
    uint8_t reg_pam, reg_smram; /* PAM_REGISTERS from there on, and one */
    /* What another register of 64 bits does to the map, on the main thread; NULL: there is none. It
     * is at reg_map, a reset makes it map_reset, and the guest may write map_wmask of it. */
    void (*update_map)(PCHost *host, uint64_t value);
    uint8_t reg_map;
    uint64_t map_reset, map_wmask;
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A multiboot kernel that takes an interrupt by each way that a PC has, and tells port 0xe9 a letter
 * for each that came as it should: P the PIC, I a pin of the IOAPIC as an edge, L one as a level that
 * lasts over its first end, T the local APIC's timer, S an interrupt to itself, N a non-maskable one,
 * A the start of another processor (if its command line ends in "2"), D its start anew, with nothing
 * left in its debug registers. It ends through isa-debug-exit.
 * Interrupts are left without IRET: not every KVM has that in this mode.
 */
#define LAPIC 0xfee00000
#define IOAPIC 0xfec00000
#define UART 0x3f8
#define PIN 4
#define STARTED 0x7000
#define SEEN 0x7004 /* DR7, at its start */
#define TRAMPOLINE 0x8000

	.macro	out8 port, value
	movw	$\port, %dx
	movb	$\value, %al
	outb	%al, %dx
	.endm

	.macro	say letter
	movb	$\letter, %al
	outb	%al, $0xe9
	.endm

	/* Entry @pin of the IOAPIC's table. */
	.macro	entry pin, low
	movl	$(0x10 + 2 * \pin), IOAPIC
	movl	$(\low), IOAPIC + 0x10
	.endm

	/* Sleeps until @flag is there. */
	.macro	await flag
1:	cli
	cmpb	$0, \flag
	jne	2f
	sti
	hlt
	jmp	1b
2:	movb	$0, \flag
	.endm

	/* The next may come between the last two: all is on the stack. */
	.macro	leave_interrupt
	movl	8(%esp), %eax		/* EIP goes behind EFLAGS, over CS */
	movl	16(%esp), %edx
	movl	%edx, 12(%esp)
	movl	%eax, 16(%esp)
	popl	%edx
	popl	%eax
	addl	$4, %esp
	popfl
	ret
	.endm

	.macro	gate vector, handler
	movl	$\handler, %eax
	movl	$(idt + 8 * \vector), %edi
	call	set_gate
	.endm

	.section .head, "a"
	.balign	4
	.long	0x1badb002, 3, -(0x1badb002 + 3)

	.text
	.globl	start
start:
	movl	$stack, %esp
	movl	16(%ebx), %esi		/* command line */
	movl	%esi, words
	lgdt	gdt_place
	ljmp	$8, $1f
1:	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	gate	2, on_nmi
	gate	0x24, on_pic
	gate	0x44, on_edge
	gate	0x45, on_level
	gate	0x46, on_timer
	gate	0x47, on_self
	lidt	idt_place
	movl	$0x1ff, LAPIC + 0xf0	/* enabled, spurious vector 0xff */
	movl	$0x700, LAPIC + 0x350	/* LINT0 is the PIC */

	out8	0x20, 0x11
	out8	0x21, 0x20
	out8	0x21, 0x04
	out8	0x21, 0x01
	out8	0xa0, 0x11
	out8	0xa1, 0x28
	out8	0xa1, 0x02
	out8	0xa1, 0x01
	out8	0x21, 0xef		/* the serial port's alone */
	out8	0xa1, 0xff
	out8	(UART + 4), 0x0b
	out8	(UART + 1), 2		/* asks while there is nothing to send */
	await	came
	say	'P'
	out8	0x21, 0xff

	entry	PIN, 0x44
	out8	(UART + 1), 2
	await	came
	say	'I'

	entry	PIN, 0x8045
	out8	(UART + 1), 2
	sti	/* leaving the guest: a KVM that interprets this mode sleeps before it tells of an end */
1:	outb	%al, $0x80
	cmpb	$0, came
	je	1b
	cli
	movb	$0, came
	say	'L'
	entry	PIN, 0x10000

	movl	$0x46, LAPIC + 0x320
	movl	$0xb, LAPIC + 0x3e0	/* divided by 1 */
	movl	$100000, LAPIC + 0x380
	await	came
	say	'T'

	movl	$0x40047, LAPIC + 0x300	/* to itself */
	await	came
	say	'S'

	movl	$0x44400, LAPIC + 0x300	/* itself, NMI: comes with interrupts off too */
	movl	$0x10000000, %ecx
1:	cmpb	$0, came
	jne	2f
	loop	1b
	jmp	end
2:	movb	$0, came
	say	'N'

	movl	words, %esi
1:	lodsb
	testb	%al, %al
	jz	2f
	movb	%al, %ah
	jmp	1b
2:	cmpb	$'2', %ah
	jne	end

	movl	$trampoline, %esi
	movl	$TRAMPOLINE, %edi
	movl	$(trampoline_end - trampoline), %ecx
	rep movsb
	call	start_others
	say	'A'
	call	start_others
	cmpl	$0x400, SEEN
	jne	end
	say	'D'
end:
	cli
	out8	0x21, 0xef		/* it ends while one is asked for */
	out8	(UART + 1), 2
	xorb	%al, %al
	outb	%al, $0xf4
1:	hlt
	jmp	1b

start_others:
	movb	$0, STARTED
	movl	$0xc4500, LAPIC + 0x300	/* all but itself: INIT, then a start twice */
	movl	$0xc4600 | (TRAMPOLINE >> 12), LAPIC + 0x300
	movl	$0xc4600 | (TRAMPOLINE >> 12), LAPIC + 0x300
1:	cmpb	$0, STARTED
	je	1b
	ret

set_gate:
	movw	%ax, (%edi)
	movw	$8, 2(%edi)
	movw	$0x8e00, 4(%edi)
	shrl	$16, %eax
	movw	%ax, 6(%edi)
	ret

on_pic:
	pushl	%eax
	pushl	%edx
	call	silence
	out8	0x20, 0x20
	movb	$1, came
	leave_interrupt

on_edge:
	pushl	%eax
	pushl	%edx
	call	silence
	movb	$1, came
	movl	$0, LAPIC + 0xb0
	leave_interrupt

on_level:
	pushl	%eax
	pushl	%edx
	incb	levels
	cmpb	$2, levels
	jne	1f
	call	silence
	movb	$1, came
1:	movl	$0, LAPIC + 0xb0	/* the first time it asks on */
	leave_interrupt

on_timer:
on_self:
	pushl	%eax
	pushl	%edx
	movb	$1, came
	movl	$0, LAPIC + 0xb0
	leave_interrupt

on_nmi:
	pushl	%eax
	pushl	%edx
	movb	$1, came
	leave_interrupt

silence:
	movw	$(UART + 2), %dx
	inb	%dx, %al
	out8	(UART + 1), 0
	ret

	.code16
trampoline:
	movw	$(STARTED >> 4), %ax
	movw	%ax, %ds
	movl	%dr7, %eax
	movl	%eax, SEEN - STARTED
	movl	$0x402, %eax
	movl	%eax, %dr7
	movb	$1, 0
1:	cli
	hlt
	jmp	1b
trampoline_end:
	.code32

	.data
	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_place:
	.word	23
	.long	gdt
idt_place:
	.word	0x100 * 8 - 1
	.long	idt
words:	.long	0
came:	.byte	0
levels:	.byte	0

	.bss
	.balign	16
idt:	.space	0x100 * 8
	.space	4096
stack:

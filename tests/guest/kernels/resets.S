/* SPDX-License-Identifier: MIT */
/*
 * A ROM of 64 KiB that resets the machine again and again, each time in another way, which it says at
 * port 0xe9 before: k (keyboard controller), p (port 0x92), c (port 0xcf9), a (the value that ACPI's
 * tables give for that port), t (triple fault). x: it went on all the same. How often it has begun is
 * in RAM, at 0x500; FIRST is the number of the way that it begins with.
 */
#define ROM 0xf0000
#define BEGUN 0x500

	.code16
	.text
	.globl start
start:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	movw BEGUN, %ax
	incw BEGUN
	addw $FIRST, %ax
	xorw %dx, %dx
	movw $5, %cx
	divw %cx
	movw %dx, %bx
	movb %cs:letters(%bx), %al
	outb %al, $0xe9
	shlw $1, %bx
	jmpw *%cs:ways(%bx)

keyboard:
	movb $0xfe, %al
	outb %al, $0x64
	jmp went_on
port92:
	movb $0x01, %al
	outb %al, $0x92
	jmp went_on
portcf9:
	movb $0x06, %al
	jmp 1f
acpi:
	movb $0x0f, %al
1:	movw $0xcf9, %dx
	outb %al, %dx
	jmp went_on
triple:
	lgdtl %cs:gdt_register
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $8, $(ROM + protected - start)

	.code32
protected:
	movw $16, %ax
	movw %ax, %ds
	lidt ROM + no_idt - start
	ud2

	.code16
went_on:
	movb $'x', %al
	outb %al, $0xe9
1:	hlt
	jmp 1b

letters:
	.ascii "kpcat"
	.balign 8
ways:
	.word keyboard, port92, portcf9, acpi, triple
gdt:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_register:
	.word 23
	.long ROM + gdt - start
no_idt:
	.word 0
	.long 0

	.org 0xfff0
	ljmpw $(ROM >> 4), $start
	.org 0x10000

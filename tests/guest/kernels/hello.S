/* SPDX-License-Identifier: MIT */
/*
 * A kernel of 32 bits for two boot protocols: it tells port 0xe9 which one has started it ('M' or
 * 'P'), its command line, each module, and ends through isa-debug-exit (port 0xf4) with the number of
 * modules. Made with -DNO_MULTIBOOT it is for PVH alone.
 */
	.section .head, "a"
#ifndef NO_MULTIBOOT
	.balign	4
	.long	0x1badb002	/* multiboot: magic, flags (modules at pages, memory), checksum */
	.long	3
	.long	-(0x1badb002 + 3)
#endif

	.section .note.xen, "a", @note
	.long	4, 4, 18	/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	start

	.text
	.globl	start
start:
	movl	$stack, %esp
	cmpl	$0x2badb002, %eax
	je	multiboot
	cmpl	$0x336ec578, (%ebx)
	je	pvh
	movb	$'?', %al
	outb	%al, $0xe9
	jmp	end

multiboot:
	movb	$'M', %al
	outb	%al, $0xe9
	movl	16(%ebx), %esi	/* command line */
	call	print
	xorl	%edi, %edi
	testl	$8, (%ebx)
	jz	end
	movl	20(%ebx), %edi	/* number of modules, and their list */
	movl	24(%ebx), %edx
	movl	%edi, %ebp
1:	testl	%ebp, %ebp
	jz	end
	movl	8(%edx), %esi	/* its words, then its bytes */
	call	print
	movl	(%edx), %esi
	movl	4(%edx), %ecx
	subl	%esi, %ecx
	call	print_bytes
	addl	$16, %edx
	decl	%ebp
	jmp	1b

pvh:
	movb	$'P', %al
	outb	%al, $0xe9
	movl	24(%ebx), %esi
	call	print
	movl	12(%ebx), %edi
	testl	%edi, %edi
	jz	end
	movl	16(%ebx), %edx
	movl	(%edx), %esi
	movl	8(%edx), %ecx
	call	print_bytes

end:	movl	%edi, %eax
	outb	%al, $0xf4
1:	hlt
	jmp	1b

/* A blank, and the text at ESI. */
print:
	movb	$' ', %al
	outb	%al, $0xe9
1:	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, $0xe9
	jmp	1b
2:	ret

/* A blank, and ECX bytes at ESI. */
print_bytes:
	movb	$' ', %al
	outb	%al, $0xe9
1:	jecxz	2f
	lodsb
	outb	%al, $0xe9
	decl	%ecx
	jmp	1b
2:	ret

	.bss
	.balign	16
	.skip	4096
stack:

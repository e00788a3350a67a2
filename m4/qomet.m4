# SPDX-License-Identifier: MIT
#
# The macros of configure.ac: options, flags that a compiler may lack, optional parts, the summary.

# QOMET_ENABLE(NAME, HELP): an option --enable-NAME, off unless given; sets enable_NAME to yes or no.
AC_DEFUN([QOMET_ENABLE], [_QOMET_SWITCH([$1], [--enable-$1], [$2], [no])])

# QOMET_DISABLE(NAME, HELP): an option --disable-NAME, the same, on unless given.
AC_DEFUN([QOMET_DISABLE], [_QOMET_SWITCH([$1], [--disable-$1], [$2], [yes])])

# _QOMET_SWITCH(NAME, OPTION, HELP, DEFAULT)
m4_define([_QOMET_SWITCH],
[AC_ARG_ENABLE([$1], [AS_HELP_STRING([$2], [$3])],
    [AS_CASE([$enableval], [yes|no], [],
             [AC_MSG_ERROR([--enable-$1 takes yes or no, not '$enableval'])])],
    [AS_TR_SH([enable_$1])=$4])])

# QOMET_TRY_FLAG(LINK|COMPILE, FLAGS, PROGRAM, IF-YES, [IF-NO])
m4_define([_QOMET_TRY_FLAG],
[AC_MSG_CHECKING([whether $CC takes $2])
qomet_saved_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS $2 -Werror"
m4_if([$1], [LINK], [AC_LINK_IFELSE], [AC_COMPILE_IFELSE])([AC_LANG_SOURCE([$3])],
    [qomet_flag=yes], [qomet_flag=no])
CFLAGS=$qomet_saved_CFLAGS
AC_MSG_RESULT([$qomet_flag])
AS_IF([test "$qomet_flag" = yes], [$4], [$5])])

# QOMET_COMPILE_FLAG(FLAGS, IF-YES, [IF-NO]), QOMET_LINK_FLAG(FLAGS, IF-YES, [IF-NO])
AC_DEFUN([QOMET_COMPILE_FLAG], [_QOMET_TRY_FLAG([COMPILE], [$1], [[int main(void) { return 0; }]], [$2], [$3])])
AC_DEFUN([QOMET_LINK_FLAG], [_QOMET_TRY_FLAG([LINK], [$1], [[int main(void) { return 0; }]], [$2], [$3])])

# QOMET_PREFER_ARCHIVE(LIBS-VARIABLE, NAME, FUNCTION, FLAGS): in LIBS-VARIABLE, -lNAME becomes FLAGS, if
# a program that calls FUNCTION can be linked so.
AC_DEFUN([QOMET_PREFER_ARCHIVE],
[AC_MSG_CHECKING([for the archive lib$2.a])
qomet_saved_LIBS=$LIBS
qomet_archive=`AS_ECHO(["$$1"]) | $SED 's/-l$2\>/$4/'`
LIBS="$qomet_archive $LIBS"
AC_LINK_IFELSE([AC_LANG_CALL([], [$3])],
    [$1=$qomet_archive
     AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])])
LIBS=$qomet_saved_LIBS])

# QOMET_LINK_FUZZER(FLAGS, IF-YES, [IF-NO]): the same for a program whose main is libFuzzer's.
AC_DEFUN([QOMET_LINK_FUZZER],
[_QOMET_TRY_FLAG([LINK], [$1],
    [[#include <stddef.h>
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) { return data && size > 4096; }]],
    [$2], [$3])])

# QOMET_SANITIZER(NAME, FLAGS): compile and link with FLAGS, or stop.
AC_DEFUN([QOMET_SANITIZER],
[QOMET_LINK_FLAG([$2],
    [SANITIZER_CFLAGS="$SANITIZER_CFLAGS $2"
     SANITIZER_LDFLAGS="$SANITIZER_LDFLAGS $2"
     SANITIZERS="$SANITIZERS${SANITIZERS:+ }$1"],
    [AC_MSG_ERROR([$CC cannot compile and link with $2])])])

# QOMET_OPTIONAL_PKG(VARIABLE, MODULES, PURPOSE): a library that only PURPOSE needs.
# Sets VARIABLE_CFLAGS and VARIABLE_LIBS, the automake conditional HAVE_VARIABLE and a line of the summary.
AC_DEFUN([QOMET_OPTIONAL_PKG],
[PKG_CHECK_MODULES([$1], [$2], [qomet_have_$1=yes], [qomet_have_$1=no])
AM_CONDITIONAL([HAVE_$1], [test "$qomet_have_$1" = yes])
_QOMET_NOTE([$qomet_have_$1], [$2], [$3])])

# QOMET_OPTIONAL_HEADER(VARIABLE, HEADER, PURPOSE): a header that only PURPOSE needs.
# Defines QOMET_VARIABLE in config.h where it is there, and a line of the summary.
AC_DEFUN([QOMET_OPTIONAL_HEADER],
[AC_CHECK_HEADER([$2], [qomet_have_$1=yes], [qomet_have_$1=no])
AS_IF([test "$qomet_have_$1" = yes], [AC_DEFINE([QOMET_$1], [1], [There is $2: $3.])])
_QOMET_NOTE([$qomet_have_$1], [$2], [$3])])

# QOMET_OPTIONAL_PROG(VARIABLE, NAMES, PURPOSE): a program that only PURPOSE needs.
# Sets VARIABLE to its name or to nothing, the conditional HAVE_VARIABLE and a line of the summary.
AC_DEFUN([QOMET_OPTIONAL_PROG],
[AC_CHECK_PROGS([$1], [$2])
AM_CONDITIONAL([HAVE_$1], [test -n "$[]$1"])
AS_IF([test -n "$[]$1"], [qomet_have_$1=yes], [qomet_have_$1=no])
_QOMET_NOTE([$qomet_have_$1], m4_car(m4_unquote(m4_split([$2]))), [$3])])

# _QOMET_NOTE(yes|no, WHAT, PURPOSE): remember a line of the summary.
m4_define([_QOMET_NOTE],
[AS_IF([test "$1" = yes],
    [qomet_found="$qomet_found
    $2 ($3)"],
    [qomet_missing="$qomet_missing
    $2 ($3)"])])

# QOMET_SUMMARY: what was found and chosen, printed when everything is settled.
AC_DEFUN([QOMET_SUMMARY],
[AS_IF([test "$enable_debug_locks" = yes], [qomet_lock_order=checked], [qomet_lock_order="not checked"])
AC_MSG_NOTICE([
  $PACKAGE_NAME $PACKAGE_VERSION

  prefix:       $prefix
  compiler:     $CC $CFLAGS
  warnings:     $WARN_CFLAGS
  instrumented: ${SANITIZERS:-no}
  lock order:   $qomet_lock_order
  explanations: $enable_explain

  optional, found:${qomet_found:- nothing}
  optional, missing:${qomet_missing:- nothing}
])])

/* SPDX-License-Identifier: MIT */
/*
 * The other end of a running machine: the sub-commands of qomet that talk to one.
 */
#ifndef MONITOR_ATTACH_CLIENT_H
#define MONITOR_ATTACH_CLIENT_H

/**
 * Carries out a sub-command: @argv begins with its name, one of those that options_command() finds.
 * Returns the exit status; what went wrong has been told.
 */
int attach_client(int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* How the programs that run as init of a guest speak: in the kernel's log. */
#ifndef KMSG_H
#define KMSG_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int kmsg = -1;

/* One write is one record: kernel messages do not get into the line. */
static void say(const char *fmt, ...)
{
	char line[960];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (write(kmsg, line, strlen(line)) < 0)
		return;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* log: each line is one write(2), so that lines of several roles do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/exit.h"

#define LINE_MAX_OCTETS 2048 /* below PIPE_BUF, so a line to a pipe stays whole */

static const char *role_name = "chancery";

void log_role(const char *role)
{
    role_name = role;
}

static void quote(char *out, size_t cap, const char *in)
{
    size_t n = 0;

    for (; *in != '\0' && n + 5 < cap; in++) {
        unsigned char c = (unsigned char)*in;

        if (c == '"' || c == '\\')
            out[n++] = '\\';
        if (c >= 0x20 && c < 0x7f)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, cap - n, "\\x%02x", c);
    }
    out[n] = '\0';
}

static void line(const char *level, const char *event, const char *fmt, va_list ap)
{
    char text[LINE_MAX_OCTETS / 2], safe[LINE_MAX_OCTETS - 256], out[LINE_MAX_OCTETS], when[32];
    time_t now = time(NULL);
    struct tm tm;
    int len;

    vsnprintf(text, sizeof text, fmt, ap);
    quote(safe, sizeof safe, text);
    gmtime_r(&now, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    len = snprintf(out, sizeof out, "%s %s %s %s detail=\"%s\"\n", when, level, role_name, event, safe);
    if (len > 0 && write(STDERR_FILENO, out, (size_t)len) < 0)
        return; /* nowhere left to say it */
}

void log_info(const char *event, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    line("info", event, fmt, ap);
    va_end(ap);
}

void log_warn(const char *event, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    line("warn", event, fmt, ap);
    va_end(ap);
}

void log_error(const char *event, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    line("error", event, fmt, ap);
    va_end(ap);
}

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    line("fatal", "end", fmt, ap);
    va_end(ap);
    _exit(SERVICE_FAILED);
}

void *xmalloc(unsigned long size)
{
    void *p = malloc(size > 0 ? size : 1);

    if (p == NULL)
        die("out of memory");
    return p;
}

void *xcalloc(unsigned long n, unsigned long size)
{
    void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

    if (p == NULL)
        die("out of memory");
    return p;
}

void *xgrow(void *items, unsigned long *cap, unsigned long size)
{
    *cap = *cap > 0 ? 2 * *cap : 16;
    items = reallocarray(items, *cap, size);
    if (items == NULL)
        die("out of memory");
    return items;
}

char *xstrdup(const char *s)
{
    char *p = strdup(s);

    if (p == NULL)
        die("out of memory");
    return p;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/environment.h"

#include <stdlib.h>

struct str io_environment(const char *name)
{
    return str_of(getenv(name));
}

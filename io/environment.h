/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The environment of the process. */
#pragma once

#include "base/str.h"

/* The value of a variable, empty when it is not set; valid for the life of the process. */
struct str io_environment(const char *name);

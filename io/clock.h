/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two clocks. */
#pragma once

#include <stdint.h>

#include "base/units.h"

wall_t io_clock_wall(void);       /* milliseconds since 1970, may be set back */
mono_t io_clock_mono(void);       /* milliseconds, never goes back */
int64_t io_clock_mono_us(void);   /* the same in microseconds, for timings */
int64_t io_clock_cpu_us(void);    /* processor time of the whole process, all threads */
int64_t io_peak_memory_kib(void); /* largest resident size of the process so far */

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of a terminal, one by one, without waiting for the end of a line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Takes over the terminal at descriptor 0 and 1: keys come at once and are not shown, and what was
 * on the screen comes back in the end. False: 0 or 1 is no terminal, and nothing is changed. One
 * at a time. */
bool io_keys_begin(void);
void io_keys_end(void); /* fine without io_keys_begin */

/* The next key within so many milliseconds; 0: none; -1: none will come, the input has ended or
 * there was an interrupt. */
int io_keys_wait(int64_t timeout_ms);

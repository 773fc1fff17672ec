/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What belongs to a plan besides its nodes: assumptions and warnings, what runs today and costs,
 * pods that need no place. Part of make.h. */
#pragma once

#include "binpack/plan/assemble.h"

void notes_add(struct assembly *assembly);

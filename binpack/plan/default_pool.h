/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The NodePool and the EC2NodeClass that stand in when the input has no NodePool. YAML, read like
 * any other input. */
#pragma once

extern const char default_pool_yaml[];

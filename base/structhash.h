/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The structural hash that Karpenter annotates objects with, as steps: version 2 of the format of
 * github.com/mitchellh/hashstructure, with sets for lists and without zero values.
 *
 * FNV-1 of 64 bits over bytes. A map is the exclusive or of its ordered pairs, finished; a list the
 * exclusive or of its elements; a struct begins as the hash of its type's name and takes in each
 * field that is not zero, in the order of declaration. Numbers go in as little-endian bytes of
 * their own width. */
#pragma once

#include <stdint.h>

#include "base/str.h"

uint64_t structhash_text(struct str text);
uint64_t structhash_i64(int64_t value);
uint64_t structhash_i32(int32_t value);
uint64_t structhash_bool(bool value);

/* One pair of a map: to be or-ed exclusively into a sum that structhash_map finishes. */
uint64_t structhash_pair(uint64_t key, uint64_t value);
uint64_t structhash_map(uint64_t sum_of_pairs);

/* Takes a field that is not zero into the hash of a struct. */
void structhash_field(uint64_t *hash, struct str name, uint64_t value);

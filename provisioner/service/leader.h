/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether this replica may write: the election of k8s/lease.h over live/calls.h. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct io_loop;
struct jsonw;
struct leader; /* opaque */
struct live_calls;
struct log;

struct leader_settings {
    struct str ns, name;
    bool alone; /* there is no election: it always may */
};

/* Loop, calls and log must outlive it. */
struct leader *leader_new(struct io_loop *loop, struct live_calls *calls, struct log *log,
                          const struct leader_settings *settings);
void leader_free(struct leader *leader); /* NULL is fine; not while a request is under way */

/* To be called in every turn of the loop, outside callbacks: asks what is to be asked, and says in
 * the log when the Lease comes and goes, and why it cannot be had. */
void leader_turn(struct leader *leader);

/* With clocks read at this moment: to be asked before each write. */
bool leader_holds(const struct leader *leader);

/* The member "leader": the Lease, whether it is held and by whom, and the error of the last answer
 * when that was none. */
void leader_put(const struct leader *leader, struct jsonw *w);

/* Gives the Lease up; true once nothing is under way any more. To be called in every turn. */
bool leader_release(struct leader *leader);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine wants written and called (ACTION_WRITE, ACTION_CALL), done with the hands of
 * acting.h; what came of it goes back to the engine as events. Of a call with pages the engine is
 * told once, of all of them together. What is refused is logged once, until it goes well again. */
#pragma once

struct acting;
struct action;
struct deeds; /* opaque */
struct service;
struct step;

/* The others must outlive it. */
struct deeds *deeds_new(struct service *service, struct acting *acting);
void deeds_free(struct deeds *deeds); /* NULL is fine; after acting_close */

/* `step` is kept until that has ended: requests of calls are in there. */
void deeds_do(struct deeds *deeds, const struct action *action, struct step *step);

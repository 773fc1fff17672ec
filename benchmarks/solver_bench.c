/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs the solver alone on instances that instances.py wrote and prints the curve of cost, bound
 * and gap over work and time.
 *
 *   solver_bench [-e EFFORT] [-g GAP] [-l LANES] [-s STEP] [-t MS] [-w PERCENT] [-q] [-c] FILE...
 *
 * -q prints the last point only and the gaps at 0.1, 1, 2 and 5 seconds; -c counts CPU time, for a
 * busy machine with one lane. -w solves each instance again, after about PERCENT of its pods have
 * changed, from the plan and the prices of the first solve. A program of its own: it may read files
 * and clocks. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "base/rng.h"
#include "binpack/solver/engine.h"

static clockid_t bench_clock = CLOCK_MONOTONIC;

static double now_ms(void)
{
    struct timespec ts;
    clock_gettime(bench_clock, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* ---- a pool of threads for the parallel port ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    uint32_t generation, n, next, left;
    void (*fn)(void *ctx, uint32_t i);
    void *ctx;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static void work_off(void)
{
    while (pool.next < pool.n) {
        uint32_t i = pool.next++;
        pthread_mutex_unlock(&pool.lock);
        pool.fn(pool.ctx, i);
        pthread_mutex_lock(&pool.lock);
        if (--pool.left == 0) {
            pthread_cond_signal(&pool.done);
        }
    }
}

static void *lane(void *arg)
{
    (void)arg;
    uint32_t seen = 0;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (pool.generation == seen) {
            pthread_cond_wait(&pool.wake, &pool.lock);
        }
        seen = pool.generation;
        work_off();
    }
    return NULL;
}

static void run_parallel(void *port_ctx, uint32_t n, void (*fn)(void *ctx, uint32_t i), void *ctx)
{
    (void)port_ctx;
    pthread_mutex_lock(&pool.lock);
    pool.fn = fn;
    pool.ctx = ctx;
    pool.n = pool.left = n;
    pool.next = 0;
    pool.generation++;
    pthread_cond_broadcast(&pool.wake);
    work_off();
    while (pool.left > 0) {
        pthread_cond_wait(&pool.done, &pool.lock);
    }
    pthread_mutex_unlock(&pool.lock);
}

/* ---- instances ---- */

static long long number(FILE *f)
{
    long long x = 0;
    if (fscanf(f, "%lld", &x) != 1) {
        fprintf(stderr, "solver_bench: number expected\n");
        exit(1);
    }
    return x;
}

static void read_problem(const char *path, struct arena *arena, struct bp_problem *p)
{
    FILE *f = fopen(path, "r");
    unsigned n_dims, n_classes, n_offerings, n_domains;
    if (f == NULL || fscanf(f, "dims %u classes %u offerings %u domains %u", &n_dims, &n_classes,
                            &n_offerings, &n_domains) != 4) {
        fprintf(stderr, "solver_bench: cannot read %s\n", path);
        exit(1);
    }
    size_t words = bits_words(n_domains);
    struct bp_class *classes = ARENA_ARRAY(arena, struct bp_class, n_classes);
    int64_t *size = ARENA_ARRAY(arena, int64_t, (size_t)n_classes * n_dims);
    uint64_t *mask = ARENA_ARRAY(arena, uint64_t, n_classes * words);
    struct bp_offering *offerings = ARENA_ARRAY(arena, struct bp_offering, n_offerings);
    int64_t *capacity = ARENA_ARRAY(arena, int64_t, (size_t)n_offerings * n_dims);
    for (unsigned i = 0; i < n_classes; i++) {
        classes[i].demand = (uint32_t)number(f);
        classes[i].max_per_node = (uint32_t)number(f);
        classes[i].weight = 1;
        for (unsigned d = 0; d < n_dims; d++) {
            size[(size_t)i * n_dims + d] = number(f);
        }
        for (long long n = number(f); n > 0; n--) {
            bits_set(mask + i * words, (size_t)number(f));
        }
    }
    for (unsigned k = 0; k < n_offerings; k++) {
        offerings[k] = (struct bp_offering){.price = number(f), .stock = BP_UNLIMITED};
        offerings[k].domain = (uint32_t)number(f);
        for (unsigned d = 0; d < n_dims; d++) {
            capacity[(size_t)k * n_dims + d] = number(f);
        }
    }
    fclose(f);
    *p = (struct bp_problem){.n_dims = n_dims,
                             .n_classes = n_classes,
                             .n_offerings = n_offerings,
                             .n_domains = n_domains,
                             .classes = classes,
                             .size = size,
                             .mask = mask,
                             .offerings = offerings,
                             .capacity = capacity};
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

struct flags {
    struct bp_options options;
    double limit_ms;
    uint64_t step;
    bool quiet;
    uint32_t warm_percent;
};

static double gap_percent(const struct bp_progress *p)
{
    return p->cost > 0 ? 100 * (double)(p->cost - p->bound) / (double)p->cost : 0;
}

static void print_point(const struct bp_progress *p, double ms)
{
    printf("%10.1f ms %10llu  %-8s cost %12.6f  bound %12.6f  gap %8.4f %%  unplaced %u\n", ms,
           (unsigned long long)p->work, p->phase, (double)p->cost / 1e9, (double)p->bound / 1e9,
           gap_percent(p), p->n_unplaced);
}

/* Some pods go and others come: each class changes by up to twice the percentage, either way. */
static void change_demand(struct bp_problem *p, uint32_t percent, struct arena *arena)
{
    struct bp_class *classes = ARENA_ARRAY(arena, struct bp_class, p->n_classes);
    struct rng rng = {.state = 7};
    for (uint32_t i = 0; i < p->n_classes; i++) {
        classes[i] = p->classes[i];
        uint32_t most = 2 * percent * classes[i].demand / 100;
        uint32_t demand = classes[i].demand + rng_below(&rng, 2 * most + 1);
        classes[i].demand = demand > most + 1 ? demand - most : 1;
    }
    p->classes = classes;
}

static void run_problem(const char *path, const struct bp_problem *problem,
                        const struct flags *flags, struct arena *arena,
                        struct bp_solution *ret_solution)
{
    static const double marks[] = {100, 1000, 2000, 5000};
    double at_mark[4] = {NAN, NAN, NAN, NAN};
    struct err err;
    struct bp_engine *engine = NULL;
    double start = now_ms();
    if (!bp_engine_new(problem, &flags->options, &engine, &err)) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        exit(1);
    }
    struct bp_progress p, last = {0};
    bp_engine_progress(engine, &p);
    double first = now_ms() - start, ms = first, first_cost = (double)p.cost / 1e9;
    if (!flags->quiet) {
        printf("%s\n", base_name(path));
        print_point(&p, first);
    }
    for (bool more = true; more && ms < flags->limit_ms;) {
        last = p;
        more = bp_engine_step(engine, flags->step);
        bp_engine_progress(engine, &p);
        double before = ms;
        ms = now_ms() - start;
        for (unsigned m = 0; m < 4; m++) {
            if (before < marks[m] && ms >= marks[m]) {
                at_mark[m] = gap_percent(&last);
            }
        }
        if (!flags->quiet && (p.cost != last.cost || p.bound != last.bound)) {
            print_point(&p, ms);
        }
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-28s first %7.1f ms %10.4f | @.1 %7.4f @1 %7.4f @2 %7.4f @5 %7.4f | end %7.0f ms "
           "work %9llu cost %11.5f gap %7.4f %% arena %5.1f MB rss %ld MB %s\n",
           base_name(path), first, first_cost, at_mark[0], at_mark[1], at_mark[2], at_mark[3], ms,
           (unsigned long long)p.work, (double)p.cost / 1e9, gap_percent(&p),
           (double)bp_engine_arena_bytes(engine) / 1e6, usage.ru_maxrss / 1024,
           bp_engine_warning(engine));
    bp_engine_result(engine, arena, ret_solution);
    bp_engine_free(engine);
}

static void run(const char *path, const struct flags *flags)
{
    auto_arena arena = ARENA_INIT;
    struct bp_problem problem;
    read_problem(path, &arena, &problem);
    struct bp_solution solution, again;
    run_problem(path, &problem, flags, &arena, &solution);
    if (flags->warm_percent > 0) {
        struct flags warm = *flags;
        warm.options.n_start_nodes = solution.n_nodes;
        warm.options.start_nodes = solution.nodes;
        warm.options.start_dual = solution.certificate.dual;
        change_demand(&problem, flags->warm_percent, &arena);
        printf("changed, cold:\n");
        run_problem(path, &problem, flags, &arena, &again);
        printf("changed, warm:\n");
        run_problem(path, &problem, &warm, &arena, &again);
    }
}

int main(int argc, char **argv)
{
    struct flags flags = {.options = BP_OPTIONS_DEFAULT, .limit_ms = 1e9, .step = 5000};
    struct parallel parallel = {.run = run_parallel, .n_lanes = 1};
    int option;
    while ((option = getopt(argc, argv, "e:g:l:s:t:w:qc")) != -1) {
        switch (option) {
        case 'e':
            flags.options.effort = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'g':
            flags.options.gap = atof(optarg);
            break;
        case 'l':
            parallel.n_lanes = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 's':
            flags.step = (uint64_t)atoll(optarg);
            break;
        case 't':
            flags.limit_ms = atof(optarg);
            break;
        case 'w':
            flags.warm_percent = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'c':
            bench_clock = CLOCK_PROCESS_CPUTIME_ID;
            break;
        case 'q':
            flags.quiet = true;
            break;
        default:
            return 2;
        }
    }
    if (parallel.n_lanes > 1) {
        flags.options.parallel = &parallel;
        for (uint32_t l = 1; l < parallel.n_lanes; l++) {
            pthread_t thread;
            if (pthread_create(&thread, NULL, lane, NULL) != 0) {
                return 1;
            }
        }
    }
    for (int a = optind; a < argc; a++) {
        run(argv[a], &flags);
    }
    return 0;
}

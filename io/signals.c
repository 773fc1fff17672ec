/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static bool hangup_taken; /* not under nohup, which has it ignored */

static void on_interrupt(int number)
{
    if (interrupted != 0) { /* another of them was the first: this one kills, see below */
        (void)raise(number);
    }
    interrupted = 1;
}

void io_signals_catch(void)
{
    /* Without SA_RESTART: a read that waits for a terminal or a pipe is to come back. SA_RESETHAND:
     * the second one kills. */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN, .sa_flags = 0};
    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    struct sigaction before;
    hangup_taken = sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN;
    if (hangup_taken) {
        (void)sigaction(SIGHUP, &action, NULL);
    }
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

bool io_signals_interrupted(void)
{
    return interrupted != 0;
}

void io_signals_clear(void)
{
    interrupted = 0;
}

static sigset_t all_of_them(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    if (hangup_taken) {
        (void)sigaddset(&set, SIGHUP);
    }
    return set;
}

int io_signals_open(void)
{
    sigset_t set = all_of_them();
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd >= 0) {
        (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    return fd;
}

void io_signals_take(int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (interrupted != 0) {
            sigset_t set = all_of_them();
            (void)signal((int)info.ssi_signo, SIG_DFL);
            (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
            (void)raise((int)info.ssi_signo);
        }
        interrupted = 1;
    }
}

void io_signals_close(int fd)
{
    if (fd >= 0) {
        sigset_t set = all_of_them();
        io_signals_take(fd);
        (void)close(fd);
        if (interrupted != 0) { /* the next one is the second */
            (void)signal(SIGINT, SIG_DFL);
            (void)signal(SIGTERM, SIG_DFL);
            if (hangup_taken) {
                (void)signal(SIGHUP, SIG_DFL);
            }
        }
        (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    }
}

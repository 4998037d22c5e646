// What Swift does not import of the C library. `fork` is left out there since little may be done after it; what
// is done is in `ForkedWriter.swift`.
#pragma once

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

/// Copies this process, with the calling thread alone. The copy ends with that thread, leaves signals
/// that people send to this process, and has of its open files only standard error and one more:
/// it holds neither locks nor ports.
///
/// Returns the copy's id, 0 in the copy, or -1 when the system refuses, and says why in `errno`.
static inline pid_t forkForFile(int kept) {
    pid_t process = fork();
    if (process != 0) return process;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (kept > 3) syscall(SYS_close_range, 3u, (unsigned)kept - 1, 0u);
    syscall(SYS_close_range, (unsigned)kept + 1, ~0u, 0u);
    return 0;
}

/// Whether something, such as an NTP client, says that it keeps the clock of this machine right.
static inline int clockIsKept(void) {
    struct timex clock = {0};
    int state = adjtimex(&clock);
    return state >= 0 && state != TIME_ERROR;
}
